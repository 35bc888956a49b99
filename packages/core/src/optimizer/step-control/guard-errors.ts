import type { GuardCounts } from "../../backend/guard.js";
import { GradstepError } from "../../errors.js";
import type { Group } from "../groups/group.js";

const remedy = "call await optimizer.metrics() before";

/**
 * Whether the device can decide which steps of a group are skipped.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkGuardedGroup(
  backend: string,
  { every, sparseOptions }: Group,
  accumulate: number,
): void {
  if (every > 1 && accumulate > 1) throw severalSteps(accumulate);
  if (!sparseOptions.rowSteps) return;
  throw new GradstepError(
    `Got rowSteps on backend ${backend}, where the host does not see which gradients are finite, and so not how many steps a row has taken; expected rowSteps: false, or nonFinite and lossScale left out.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for a group that does not take part in every step, whose gradients are accumulated. */
export function severalSteps(accumulate: number): GradstepError {
  return new GradstepError(
    `A group has every above 1 with accumulate ${accumulate}, and the device decides which steps are skipped; expected one of the two. Leave nonFinite and lossScale out to use both.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for gradients that are to be cleared only if their group takes part in the step, which the device knows. */
export function clearingSomeSteps(): GradstepError {
  return new GradstepError(
    "Got clear: true, and a group has every above 1 while the device decides which steps are skipped; expected gradients that you clear.",
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
