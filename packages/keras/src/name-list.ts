import { GradstepError, show } from "@gradstep/core";
import { isArray } from "@gradstep/core/internal";

const shown = 12;

/** Names for an error message; of many, the first ones. */
export function nameList(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return names.length > shown + 1
    ? `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`
    : names.join(", ");
}

/**
 * @param what whose option it is, and which, as the message begins
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkNames(what: string, names: unknown, example: string): void {
  if (isArray(names) && names.every((name) => typeof name === "string")) return;
  throw new GradstepError(
    `${what} is ${show(names)}; expected a list of names, such as ["${example}"].`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}
