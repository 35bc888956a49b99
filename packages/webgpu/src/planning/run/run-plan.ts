import type { Temporary } from "@gradstep/core";
import type { BindingLimits, StepDispatch } from "../dispatch/dispatch.js";
import { JoinPlan } from "./join-plan.js";
import type { PlannedRun } from "./planned-run.js";
import { allocateRun, type SharedReduction } from "./run-allocation.js";
import { RunPlanner } from "./run-planner.js";
import type { ScratchLayout } from "./scratch-layout.js";
import { keyOf, startInShared, reductionsOverAll, sharedReductions } from "./shared-reductions.js";

/**
 * Plans the dispatches of a step: level by level, at each level the passes of all runs, and then what they reduce over
 * all tensors.
 *
 * @param isSkippable whether the device can leave the step out
 * @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_GRADIENT`
 */
export function planRuns(
  runs: readonly PlannedRun[],
  scratch: ScratchLayout,
  limits: BindingLimits,
  isSkippable: boolean,
): StepDispatch[] {
  const shared = sharedReductions(runs, scratch);
  const planners = runs.map((run) => {
    const sharedOf = (temporary: Temporary): SharedReduction =>
      shared.get(keyOf(runs, run, temporary))!;
    const allocation = allocateRun(run, sharedOf, scratch);
    const sourceOf = (name: string): number => startInShared(runs, run, name, shared);
    return new RunPlanner(run, allocation, { scratch, limits, sourceOf });
  });
  const dispatches = planners.flatMap((planner) => [...planner.fused(), ...planner.counts()]);
  const levels = runs.flatMap(({ variant }) => variant.passPlan.passes.map(({ level }) => level));
  for (let level = 0; level <= Math.max(...levels); level += 1) {
    for (const planner of planners) dispatches.push(...planner.passes(level));
    const joins = new JoinPlan(scratch);
    for (const { op, key } of reductionsOverAll(runs, level)) {
      const { length, source, target } = shared.get(key)!;
      joins.join(op, length, source, target);
    }
    dispatches.push(...joins.dispatches(runs[0].kernels, limits));
  }
  for (const planner of planners) dispatches.push(...planner.clearings());
  if (isSkippable) for (const planner of planners) dispatches.push(...planner.clearingsOfSkipped());
  return dispatches;
}
