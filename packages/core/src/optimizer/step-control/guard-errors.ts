import type { GuardCounts } from "../../backend/guard.js";
import { GradstepError } from "../../errors.js";

const remedy = "call await optimizer.metrics() before";

/** The error for too many steps in which a group may have taken part, for the scalars of rows that count their own. */
export function uncertainRowSteps(every: number, most: number): GradstepError {
  return new GradstepError(
    `A group has every ${every} with rowSteps, and the counts were not read for ${most * every} steps; ${remedy} the step.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for an array that is to be cleared only if its group takes part in the step, which the device knows. */
export function clearingSomeSteps(name: string): GradstepError {
  return new GradstepError(
    `Got clear: true and an array as the gradient of "${name}", whose group has every above 1, and the host does not know how many steps the device has skipped; expected a tensor, which the device clears, or ${remedy} the step.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for gradients that are to be cleared if their group takes part in the step that they will be summed for. */
export function clearingSums(): GradstepError {
  return new GradstepError(
    `Got clear: true with accumulate while a group has every above 1, and the host does not know how many steps the device has skipped; expected gradients that you clear, or ${remedy} the step.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for a group that takes part in other steps than before, when its number of steps was uncertain. */
export function uncertainSteps(name: "frozen" | "every", value: boolean | number): GradstepError {
  return new GradstepError(
    `${name} of a group is now ${value}, and the host does not know how many steps the device has skipped; ${remedy} you set it.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for a hyperparameter that was set when the persistent scalars were uncertain. */
export function uncertainScalars(): GradstepError {
  return new GradstepError(
    `A hyperparameter was set on which the persistent scalars of the rule depend, and the host does not know how many steps the device has skipped; ${remedy} a step with another value, or use a schedule.`,
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
