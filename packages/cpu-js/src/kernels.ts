export { createCpuJs, type CpuJs, type CpuJsOptions } from "./cpu-js.js";
export type { KernelFunction, KernelTable } from "./kernel-table.js";
export * from "./generated/fast/index.js";
