import type { Backend } from "../../backend/backend.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";

/** Executes a kernel at once. */
export const runKernel: KernelRunner = (kernel, updates, count) => {
  kernel.run(updates, count);
};

/**
 * Runs the kernels of all rules of a step, or records this for later. Rules that have a reduction over all tensors in
 * common run together, so that it covers the tensors of all of them.
 *
 * @param runs those with updates
 * @param run executes a kernel, or records it into the target
 * @param target what the caller submits; undefined to execute the step
 */
export function runKernels(
  backend: Backend,
  runs: readonly KernelRun[],
  run: KernelRunner,
  target: object | undefined,
): void {
  if (!haveCommonReduction(runs)) {
    for (const { kernel, updates, count } of runs) run(kernel!, updates, count);
  } else if (target === undefined) backend.runTogether!(runs);
  else backend.encodeTogether!(target, runs);
}

/** Whether two of the rules have a reduction over all tensors in common. */
function haveCommonReduction(runs: readonly KernelRun[]): boolean {
  for (let i = 1; i < runs.length; i += 1)
    for (let j = 0; j < i; j += 1)
      for (const key of runs[i].reductionKeys) if (runs[j].reductionKeys.includes(key)) return true;
  return false;
}
