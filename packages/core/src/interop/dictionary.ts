import { GradstepError, list, show } from "../errors.js";

/** What another library calls a setting, and what becomes of it here. */
export type Entry =
  /** The same number or flag under another name. */
  | { readonly to: string }
  /** Understood, but available here only with these values. */
  | { readonly only: readonly unknown[]; readonly why: string };

/** Has no influence on the numbers: how the other library computes, prints or names things. */
export const ignored = "ignored";

/** One optimizer of another library: each of its settings, by the library's name for it. */
export type Dictionary = Readonly<Record<string, Entry | typeof ignored>>;

/**
 * Translates settings.
 *
 * @param owner the library's optimizer, for messages: `PyTorch's Adam`.
 * @throws {GradstepError} `UNKNOWN_OPTION` for a key that the dictionary does not have, `UNSUPPORTED` for a value that
 * has no counterpart here
 */
export function translate(
  owner: string,
  settings: unknown,
  dictionary: Dictionary,
): Record<string, unknown> {
  if (settings === null || typeof settings !== "object" || Array.isArray(settings)) {
    throw new GradstepError(`${owner}: got ${show(settings)}; expected an object of options.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  const translated: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const entry = Object.hasOwn(dictionary, key) ? dictionary[key] : undefined;
    if (entry === undefined) {
      throw new GradstepError(
        `${owner} has no option "${key}" that is known here; known are ${list(Object.keys(dictionary))}.`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    if (entry === ignored) continue;
    if ("to" in entry) {
      translated[entry.to] = value;
    } else if (!entry.only.includes(value)) {
      throw new GradstepError(
        `${owner}: ${key} is ${show(value)}; available is ${list(entry.only.map(show))}. ${entry.why}`,
        { code: "UNSUPPORTED" },
      );
    }
  }
  return translated;
}

/** The optimizer of that name. @throws {GradstepError} `UNSUPPORTED` */
export function lookUp<T>(library: string, name: unknown, table: Readonly<Record<string, T>>): T {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name];
  throw new GradstepError(
    `${library}'s optimizer ${show(name)} is not available; available are ${list(Object.keys(table))}.`,
    { code: "UNSUPPORTED" },
  );
}
