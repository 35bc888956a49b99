import { GradstepError } from "../../errors.js";
import type { SignalInputs } from "../step/step-signals.js";
import type { CompleteStepControl } from "./complete-step-control.js";

/** @throws {GradstepError} `UNSUPPORTED` for a step that skips itself, of several calls */
export function checkNotAccumulated(
  { skips }: SignalInputs,
  { accumulate }: CompleteStepControl,
): void {
  if (!skips || accumulate === 1) return;
  throw new GradstepError(
    `Got skip with accumulate ${accumulate}; expected a step of one call. Scale the gradients of a call by 0 to leave it out.`,
    { code: "UNSUPPORTED" },
  );
}

/** @throws {GradstepError} `UNSUPPORTED` for signals where a device decides which steps are skipped */
export function checkNotGuarded(
  { skips, hasRates }: SignalInputs,
  { nonFinite }: CompleteStepControl,
): void {
  if (!skips && !hasRates) return;
  throw new GradstepError(
    skips
      ? `Got skip with nonFinite "${nonFinite}"; expected one of the two. A gradient that is NaN skips its step, too.`
      : `Got a tensor as learningRate with nonFinite "${nonFinite}"; expected a number. Leave nonFinite and lossScale out to use a tensor.`,
    { code: "UNSUPPORTED" },
  );
}
