import { checkChoice } from "./check-choice.js";

/**
 * Checks a value that may be left out. Backends use it, too.
 *
 * @param what whose option it is, as the message begins: `restore`
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is true or false, or undefined
 */
export function checkSwitch(what: string, name: string, value: unknown): void {
  if (value !== undefined) checkChoice(what, name, value, [true, false]);
}
