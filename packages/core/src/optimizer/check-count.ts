import { GradstepError, show } from "../errors.js";

/**
 * Checks a count that is at least 1.
 * @param name the option, as the message begins
 * @returns the count
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new GradstepError(`${name} is ${show(value)}; expected a positive integer.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}
