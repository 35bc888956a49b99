import type { GuardCounts } from "../../backend/guard.js";
import { GradstepError } from "../../errors.js";

const remedy = "call await optimizer.metrics() before";

function unsupported(message: string): GradstepError {
  return new GradstepError(message, { code: "UNSUPPORTED" });
}

function uncertain(what: string, expected: string): GradstepError {
  return unsupported(
    `${what}, and the host does not know how many steps the device has skipped; ${expected}.`,
  );
}

/** The error for too many steps in which a group may have taken part, for the scalars of rows that count their own. */
export function uncertainRowSteps(every: number, most: number): GradstepError {
  return unsupported(
    `A group has every ${every} with rowSteps, and the counts were not read for ${most * every} steps; ${remedy} the step.`,
  );
}

/** The error for an array that is to be cleared only if its group takes part in the step, which the device knows. */
export function clearingSomeSteps(name: string): GradstepError {
  return uncertain(
    `Got clear: true and an array as the gradient of "${name}", whose group has every above 1`,
    `expected a tensor, which the device clears, or ${remedy} the step`,
  );
}

/** The error for gradients that are to be cleared if their group takes part in the step that they will be summed for. */
export function clearingSums(): GradstepError {
  return uncertain(
    "Got clear: true with accumulate while a group has every above 1",
    `expected gradients that you clear, or ${remedy} the step`,
  );
}

/** The error for a group that takes part in other steps than before, when its number of steps was uncertain. */
export function uncertainSteps(name: "frozen" | "every", value: boolean | number): GradstepError {
  return uncertain(`${name} of a group is now ${value}`, `${remedy} you set it`);
}

/** The error for a hyperparameter that was set when the persistent scalars were uncertain. */
export function uncertainScalars(): GradstepError {
  return uncertain(
    "A hyperparameter was set on which the persistent scalars of the rule depend",
    `${remedy} a step with another value, or use a schedule`,
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
    : unsupported(
        `The device no longer had the scalars of step ${steps + 1}: ${what}. It can skip at least ${keptSteps - 1} steps until the host hears of them; expected await optimizer.metrics() more often, and encoders that are submitted soon.`,
      );
}
