import { didYouMean } from "./did-you-mean.js";
import { GradstepError, list, show } from "../errors.js";
import { hasNames } from "./has-names.js";

/**
 * Checks that a value is an object with known options only. Backends use it, too.
 *
 * @param what whose options they are, as the message begins: `wrap`
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function checkOptions(what: string, options: object, known: readonly string[]): void {
  if (!hasNames(options)) {
    const got = show(options);
    const isShape = got.startsWith("[") && known.includes("shape");
    throw new GradstepError(
      `${what}: got ${got}; expected an object with some of ${list(known)}.${isShape ? ` Pass { shape: ${got} }.` : ""}`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new GradstepError(
        `${what} has no option "${key}"; it has ${list(known)}.${didYouMean(key, known)}`,
        { code: "UNKNOWN_OPTION" },
      );
  }
}
