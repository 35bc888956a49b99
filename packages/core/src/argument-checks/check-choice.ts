import { alternatives, GradstepError, show } from "../errors.js";

/**
 * Checks that a value is one of some.
 *
 * @param what whose option it is, as the message begins: `restore`
 * @returns the value
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkChoice<T>(
  what: string,
  name: string,
  value: unknown,
  choices: readonly T[],
): T {
  if (choices.includes(value as T)) return value as T;
  throw new GradstepError(
    `${what}: ${name} is ${show(value)}; expected ${alternatives(choices)}.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}
