export * from "@gradstep/core";
export { cpuJs, type CpuJs, type CpuJsOptions } from "@gradstep/cpu-js";
export { autoBackend } from "./auto-backend.js";
