import { GradstepError, list, show } from "./errors.js";

/**
 * Whether it is an object of options, without any that would be ignored: for those who write a backend, too.
 *
 * @param what whose options they are, as a message begins: `wrap`
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkOptions(what: string, options: object, known: readonly string[]): void {
  // Lists and maps have no properties of such names: they would pass for objects without any.
  if (options === null || typeof options !== "object" || Symbol.iterator in options) {
    throw new GradstepError(
      `${what}: got ${show(options)}; expected an object of options, of ${list(known)}.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new GradstepError(`${what} has no option "${key}"; it has ${list(known)}.`, {
        code: "UNKNOWN_OPTION",
      });
  }
}
