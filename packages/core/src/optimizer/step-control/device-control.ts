import type { Tensor } from "../../backend/backend.js";
import { isInHostMemory } from "../../backend/stored-values.js";
import { GradstepError } from "../../errors.js";
import type { Group } from "../groups/group.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { OptimizerState } from "../state/optimizer-state.js";
import type { Clock } from "../step/step-scalars.js";
import { isGuarding } from "../guarded/guarding-backend.js";
import type { StepControl } from "./step-control.js";

/**
 * Prepares for the backend of a parameter: where the host does not see the gradients, the device decides.
 * @throws {GradstepError} `UNSUPPORTED` for a backend that cannot look at gradients
 */
export function adaptControl(
  control: StepControl,
  parameter: Tensor,
  groups: readonly Group[],
  clock: Clock,
): void {
  const { options, divisor } = control;
  const { backend } = parameter;
  if (options.nonFinite === "propagate" || isInHostMemory(parameter)) return;
  if (!isGuarding(backend))
    throw new GradstepError(
      `Backend ${backend.name} cannot look for values that are not finite without reading them back; leave nonFinite${control.lossScale === undefined ? "" : " and lossScale"} out.`,
      { code: "UNSUPPORTED" },
    );
  if (control.guarded !== undefined) return;
  control.guarded = backend.guardSteps(backend, { groups, clock, options, divisor });
  writeCounts(control, clock.iterations);
}

/**
 * Brings the counters up to date with those of the device; does nothing if the host decides.
 * @param records those of the optimizer
 * @returns corrects a state that was made at the time of the call
 */
export async function readCounts(
  control: StepControl,
  records: readonly ParameterRecord[],
): Promise<((state: OptimizerState) => OptimizerState) | undefined> {
  const { guarded, lossScale } = control;
  if (guarded === undefined) return undefined;
  return guarded.counts.read(records, (counts) => {
    control.skippedSteps = counts.skippedSteps;
    control.consecutiveSkips = counts.consecutiveSkips;
    if (lossScale !== undefined)
      lossScale.state = { scale: counts.lossScale, goodSteps: counts.goodSteps };
  });
}

/** Gives the device the counters of a state that was restored. @param steps those taken */
export function writeCounts(control: StepControl, steps: number): void {
  const { guarded, skippedSteps, consecutiveSkips, lossScale } = control;
  const { scale, goodSteps } = lossScale?.state ?? { scale: 1, goodSteps: 0 };
  guarded?.counts.restore({ steps, skippedSteps, consecutiveSkips, goodSteps, lossScale: scale });
}
