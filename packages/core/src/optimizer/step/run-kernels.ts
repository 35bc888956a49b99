import type { Backend } from "../../backend/backend.js";
import type { KernelRun } from "../groups/rule-context.js";

/**
 * Runs the kernels of all rules of a step. Rules that have a reduction over all tensors in common run together, so that
 * it covers the tensors of all of them.
 */
export function runKernels(backend: Backend, runs: readonly KernelRun[]): void {
  if (runs.length > 1 && haveCommonReduction(runs)) {
    backend.runTogether!(runs.filter(({ count }) => count > 0));
    return;
  }
  for (let i = 0; i < runs.length; i += 1) {
    const { kernel, updates, count } = runs[i];
    if (count > 0) kernel!.run(updates, count);
  }
}

/** The same, recorded into what the caller submits. */
export function encodeKernels(backend: Backend, runs: readonly KernelRun[], target: object): void {
  if (runs.length > 1 && haveCommonReduction(runs)) {
    backend.encodeTogether!(
      target,
      runs.filter(({ count }) => count > 0),
    );
    return;
  }
  for (const { kernel, updates, count } of runs)
    if (count > 0) kernel!.encode!(target, updates, count);
}

/** Whether two rules with updates in this step have a reduction over all tensors in common. */
function haveCommonReduction(runs: readonly KernelRun[]): boolean {
  for (let i = 0; i < runs.length; i += 1) {
    if (runs[i].count === 0) continue;
    for (let j = 0; j < i; j += 1)
      if (
        runs[j].count > 0 &&
        runs[i].reductionKeys.some((key) => runs[j].reductionKeys.includes(key))
      )
        return true;
  }
  return false;
}
