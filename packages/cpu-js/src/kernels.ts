export { passes, type PassCompiler } from "./passes/compile-passes.js";
export { createCpuJs, type CpuJs, type CpuJsOptions, type CreateCpuJsOptions } from "./cpu-js.js";
export type { KernelFunction, KernelTable, PassFunction, PassFunctions } from "./kernel-table.js";
export * from "./generated/fast/index.js";
