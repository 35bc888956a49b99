import { didYouMean } from "../argument-checks/did-you-mean.js";
import { isArray } from "../argument-checks/is-array.js";
import { GradstepError, list, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";

/** What becomes of one option of another library. */
export type Mapping =
  /** The same value under another name. */
  | { readonly to: string }
  /** Known, but only these values are supported. */
  | { readonly only: readonly unknown[]; readonly why: string };

/** The option does not affect the numbers: it says how the library computes, prints or names things. */
export const ignored = "ignored";

/** The options of one optimizer of another library, by their names there. */
export type OptionMap = Readonly<Record<string, Mapping | typeof ignored>>;

/**
 * Translates options.
 *
 * @param owner the library's optimizer, for messages: `PyTorch's Adam`
 * @throws {GradstepError} `UNKNOWN_OPTION` for an option that the map does not have, `UNSUPPORTED` for a value without a
 * counterpart
 */
export function translate(
  owner: string,
  options: unknown,
  map: OptionMap,
): Record<string, unknown> {
  checkIsObject(owner, options);
  const translated: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const mapping = Object.hasOwn(map, key) ? map[key] : undefined;
    if (mapping === undefined) {
      throw new GradstepError(
        `${owner}: "${key}" is not a known option; expected ${list(Object.keys(map))}.${didYouMean(key, Object.keys(map))}`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    if (mapping === ignored) continue;
    if ("to" in mapping) {
      translated[mapping.to] = value;
    } else if (!mapping.only.includes(value)) {
      throw new GradstepError(
        `${owner}: ${key} is ${show(value)}; expected ${mapping.only.map(show).join(" or ")}. ${mapping.why}`,
        { code: "UNSUPPORTED" },
      );
    }
  }
  return translated;
}

/**
 * Settings with β₁ and β₂ by themselves, where they have `betas`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function withoutPair(
  owner: string,
  { betas, ...settings }: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (betas === undefined) return settings;
  if (!isArray(betas) || betas.length !== 2) {
    throw new GradstepError(
      `${owner}: betas is ${show(betas)}; expected two numbers, such as [0.9, 0.999].`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const [beta1, beta2] = betas as unknown[];
  return { ...settings, beta1, beta2 };
}

/** @throws {GradstepError} `UNKNOWN_OPTION` unless it is an object with options by name */
export function checkIsObject(
  owner: string,
  options: unknown,
): asserts options is Readonly<Record<string, unknown>> {
  if (hasNames(options)) return;
  throw new GradstepError(`${owner}: got ${show(options)}; expected an object of options.`, {
    code: "UNKNOWN_OPTION",
  });
}

/** The library's optimizer or schedule of that name. @throws {GradstepError} `UNSUPPORTED` */
export function lookUp<T>(library: string, name: unknown, table: Readonly<Record<string, T>>): T {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name];
  throw new GradstepError(
    `${library}'s ${show(name)} is not supported; expected one of ${list(Object.keys(table))}.${didYouMean(name, Object.keys(table))}`,
    { code: "UNSUPPORTED" },
  );
}
