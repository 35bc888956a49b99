export * from "@gradstep/core/reference";
