export * from "@gradstep/core/by-name";
