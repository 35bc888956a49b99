import { checkOptions } from "@gradstep/core";
import { cpuJsOptions, createCpuJs, type CpuJs, type CpuJsOptions } from "./cpu-js.js";
import * as exactKernels from "./generated/exact/index.js";
import * as fastKernels from "./generated/fast/index.js";

export type { CpuJs, CpuJsOptions } from "./cpu-js.js";
export type { KernelFunction, KernelTable } from "./kernel-table.js";

/**
 * Plain JavaScript, compiled ahead of time for every built-in rule; synchronous, in place on the caller's own
 * Float32Arrays, and without `eval`. Rules of your own are interpreted, or given as `kernels` (see `generate`).
 *
 * @param options.exact the bits of the f32 reference, at some cost in speed.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function cpuJs(options: CpuJsOptions = {}): CpuJs {
  checkOptions("cpuJs", options, cpuJsOptions);
  const { kernels: own = [], ...rest } = options;
  const builtIn = Object.values(rest.exact === true ? exactKernels : fastKernels);
  const kernels = Array.isArray(own) ? [...builtIn, ...own] : own;
  return createCpuJs({ ...rest, kernels });
}
