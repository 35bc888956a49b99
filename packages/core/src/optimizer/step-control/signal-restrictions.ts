import { GradstepError } from "../../errors.js";
import type { SignalInputs } from "../step/step-signals.js";
import type { CompleteStepControl } from "./complete-step-control.js";

/**
 * Checks that a step control can have the signals of a step.
 * @param isGuarded whether a device decides which steps are skipped
 * @throws {GradstepError} `UNSUPPORTED` for a step of several calls that skips itself, and for signals that only one of
 * device and caller can decide
 */
export function checkSignals(
  { skips, hasRates }: SignalInputs,
  { accumulate, nonFinite }: CompleteStepControl,
  isGuarded: boolean,
): void {
  let message: string | undefined;
  if (skips && accumulate > 1)
    message = `Got skip with accumulate ${accumulate}; expected a step of one call. Scale the gradients of a call by 0 to leave it out.`;
  else if (skips && isGuarded)
    message = `Got skip with nonFinite "${nonFinite}"; expected one of the two. A gradient that is NaN skips its step, too.`;
  else if (hasRates && isGuarded)
    message = `Got a tensor as learningRate with nonFinite "${nonFinite}"; expected a number. Leave nonFinite and lossScale out to use a tensor.`;
  if (message !== undefined) throw new GradstepError(message, { code: "UNSUPPORTED" });
}
