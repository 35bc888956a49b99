import { GradstepError, show } from "../errors.js";
import { isArray } from "../is-array.js";
import { propertyOf } from "../property-of.js";

/**
 * Checks that a value is a program, where a backend compiles it.
 * @param what the function that got it, as the message begins
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkProgram(what: string, program: unknown): void {
  if (isArray(propertyOf(program, "nodes"))) return;
  throw new GradstepError(
    `${what}: got ${show(program)}; expected a program, such as variantOf(adam()).perElement.`,
    { code: "INVALID_RULE" },
  );
}
