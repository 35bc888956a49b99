import { GradstepError, show } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";

/**
 * Checks the options of a read or write, except for the values of those that it has alone.
 * @param what whose options they are, as the message begins
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function checkIoOptions(what: string, options: object, known: readonly string[]): void {
  checkOptions(what, options, known);
  const { signal, onProgress } = options as Readonly<Record<string, unknown>>;
  const isSignal = typeof (signal as AbortSignal | null)?.throwIfAborted === "function";
  if (signal !== undefined && !isSignal)
    throw new GradstepError(
      `${what}: signal is ${show(signal)}; expected an AbortSignal, such as AbortSignal.timeout(60_000).`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new GradstepError(
      `${what}: onProgress is ${show(onProgress)}; expected a function of the bytes so far and the total.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
}
