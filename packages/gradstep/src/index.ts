export * from "@gradstep/core";
export { cpuJs, type CpuJs, type CpuJsOptions } from "@gradstep/cpu-js";
export { wasm, type Wasm, type WasmOptions } from "@gradstep/wasm";
export { autoBackend, type AutoBackend } from "./auto-backend.js";
