export * from "@gradstep/core/interop";
