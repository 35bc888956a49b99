import { GradstepError, list, show } from "../errors.js";

/**
 * Whether it is an object of options with no key that would be ignored.
 *
 * @param what whose options they are: `createOptimizer`
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkKeys(what: string, options: object, known: readonly string[]): void {
  if (options === null || typeof options !== "object") {
    throw new GradstepError(`Got ${show(options)}; expected the options { ${known.join(", ")} }.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new GradstepError(`${what} has no option "${key}"; it has ${list(known)}.`, {
        code: "UNKNOWN_OPTION",
      });
  }
}
