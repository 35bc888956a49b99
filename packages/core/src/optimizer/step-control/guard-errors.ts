import type { GuardCounts } from "../../backend/guard.js";
import { GradstepError } from "../../errors.js";
import type { Group } from "../groups/group.js";

const remedy = "call await optimizer.metrics() before";

/**
 * Whether the device can decide which steps of a group are skipped.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkGuardedGroup(backend: string, { every, sparseOptions }: Group): void {
  if (every > 1) throw severalSteps();
  if (!sparseOptions.rowSteps) return;
  throw new GradstepError(
    `Got rowSteps on backend ${backend}, where the host does not see which gradients are finite, and so not how many steps a row has taken; expected rowSteps: false, or nonFinite and lossScale left out.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for a group that does not take part in every step. */
export function severalSteps(): GradstepError {
  return new GradstepError(
    "A group has every above 1, and the device decides which steps are skipped; expected 1. Leave nonFinite and lossScale out.",
    { code: "UNSUPPORTED" },
  );
}

/** The error for a group that was frozen or released when its number of steps was uncertain. */
export function uncertainSteps(frozen: boolean): GradstepError {
  return new GradstepError(
    `frozen of a group is now ${frozen}, and the host does not know how many steps the device has skipped; ${remedy} you set it.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for a hyperparameter that was set when the persistent scalars were uncertain. */
export function uncertainScalars(): GradstepError {
  return new GradstepError(
    `A hyperparameter was set, and the host does not know how many steps the device has skipped, on which the persistent scalars of the rule depend; ${remedy} a step with another value, or use a schedule.`,
    { code: "UNSUPPORTED" },
  );
}

/**
 * Why the device has stopped.
 * @param missed steps that it has not taken since
 * @param keptSteps the number of steps whose scalars it has at least
 */
export function stopError(
  { steps, stopCause }: GuardCounts,
  missed: number,
  keptSteps: number,
): GradstepError {
  const what = `step ${steps + 1} ${missed > 1 ? `and the ${missed - 1} after it were` : "was"} not taken, and changed nothing`;
  return stopCause === "nonFinite"
    ? new GradstepError(
        `A gradient of step ${steps + 1} is not finite: ${what}; expected finite values. Go on from here, or use nonFinite: "skip" to leave such steps out.`,
        { code: "NON_FINITE" },
      )
    : new GradstepError(
        `The device no longer had the scalars of step ${steps + 1}: ${what}. It can skip at least ${keptSteps - 1} steps until the host hears of them; expected await optimizer.metrics() more often, and encoders that are submitted before many more steps are encoded.`,
        { code: "UNSUPPORTED" },
      );
}
