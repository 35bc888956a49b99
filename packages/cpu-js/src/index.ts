import { checkOptions, isArray } from "@gradstep/core/internal";
import { passes } from "./passes/compile-passes.js";
import { cpuJsOptions, createCpuJs, type CpuJs, type CpuJsOptions } from "./cpu-js.js";
import * as exactKernels from "./generated/exact/index.js";
import * as fastKernels from "./generated/fast/index.js";

export type { CpuJs, CpuJsOptions } from "./cpu-js.js";
export type { KernelFunction, KernelTable, PassFunction, PassFunctions } from "./kernel-table.js";

/**
 * The backend in plain JavaScript: synchronous, in place on your own Float32Arrays, and without `eval`. The built-in
 * rules and stages are compiled ahead of time; a chain of them runs as one after the other. Other rules, and chains with a
 * stage on the update, are interpreted unless `kernels` has them (see `generate`).
 *
 * @param options.exact gives the bits of the f32 reference, which is slower
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function cpuJs(options: CpuJsOptions = {}): CpuJs {
  checkOptions("cpuJs", options, cpuJsOptions);
  const { kernels: added = [], ...rest } = options;
  const builtIn = Object.values(rest.exact === true ? exactKernels : fastKernels);
  const kernels = isArray(added) ? [...builtIn, ...added] : added;
  return createCpuJs({ ...rest, kernels, passes });
}
