import { checkChoice } from "../argument-checks/check-choice.js";
import { GradstepError, list, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import type { Schedule } from "../schedules/schedule.js";
import type { Hyperparameter } from "./hyperparameter.js";
import { checkHyperparameterValue, type HyperparameterValue } from "./hyperparameter-value.js";
import { combinations, type OptionTable } from "./options.js";
import type { OptimizerSpec, Rule } from "./rule.js";
import type { SettingDescriptions } from "./setting-descriptions.js";
import { unknownOption } from "./unknown-option.js";
import type { Variant, VariantTexts } from "./variant.js";

/** What a rule can be called with: any of its hyperparameters and options, by name. */
export type Settings<H extends string, O extends OptionTable> = {
  readonly [K in keyof Pick<SettingDescriptions, H & keyof SettingDescriptions>]?:
    | HyperparameterValue
    | undefined;
} & {
  readonly [K in Exclude<H, keyof SettingDescriptions>]?: HyperparameterValue | undefined;
} & {
  readonly [K in keyof Pick<SettingDescriptions, keyof O & keyof SettingDescriptions>]?:
    | O[K][number]
    | undefined;
} & { readonly [K in Exclude<keyof O, keyof SettingDescriptions>]?: O[K][number] | undefined };

/** What a rule is made of, apart from its texts. */
export interface RuleParts {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: OptionTable;
  readonly structural: readonly string[];
}

/** A value per option and per structural hyperparameter. */
export type CompleteChoices = Readonly<Record<string, boolean | string>>;

/**
 * Makes a rule of these parts.
 * @param textsOf the texts for complete choices
 * @param build builds a variant; called once per combination
 */
export function assembleRule<T extends VariantTexts>(
  { name, hyperparameters, options, structural }: RuleParts,
  textsOf: (choices: CompleteChoices, shape: OptionTable) => T,
  build: (texts: T) => Variant,
): Rule {
  const cache = new Map<string, Variant>();
  const shape: OptionTable = {
    ...options,
    ...Object.fromEntries(structural.map((key) => [key, [false, true]])),
  };

  /** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  function complete(choices: CompleteChoices): CompleteChoices {
    checkIsNamed(choices);
    for (const [key, value] of Object.entries(choices)) {
      if (!Object.hasOwn(shape, key))
        throw new GradstepError(
          `${name} has no option "${key}"; it has ${list(Object.keys(shape))}.`,
          {
            code: "UNKNOWN_OPTION",
          },
        );
      if (value !== undefined) checkChoice(name, key, value, shape[key]);
    }
    return Object.fromEntries(
      Object.entries(shape).map(([key, values]) => [key, choices[key] ?? values[0]]),
    );
  }

  function checkIsNamed(settings: unknown): void {
    if (hasNames(settings)) return;
    throw new GradstepError(
      `${name}: got ${show(settings)}; expected an object of settings, such as { learningRate: 0.01 }.`,
      { code: "UNKNOWN_OPTION" },
    );
  }

  function variant(choices: CompleteChoices = {}): Variant {
    const all = complete(choices);
    const key = JSON.stringify(all);
    let found = cache.get(key);
    if (found === undefined) {
      found = build(textsOf(all, shape));
      cache.set(key, found);
    }
    return found;
  }

  function variants(): readonly Variant[] {
    const distinct = new Map<string, Variant>();
    const seen = new Set<string>();
    for (const choices of combinations(shape)) {
      // Most options of some rules are for the scalars alone; a variant takes milliseconds to build.
      const { slots, perElement, evaluation } = textsOf(choices, shape);
      const key = JSON.stringify([slots, perElement.map(({ text }) => text), evaluation]);
      if (seen.has(key)) continue;
      seen.add(key);
      const one = variant(choices);
      if (!distinct.has(one.perElement.fingerprint)) distinct.set(one.perElement.fingerprint, one);
    }
    return [...distinct.values()];
  }

  function specify(settings: Readonly<Record<string, unknown>>): OptimizerSpec {
    checkIsNamed(settings);
    const values: Record<string, number | Schedule> = Object.fromEntries(
      Object.entries(hyperparameters).map(([key, range]) => [key, range.default]),
    );
    const choices = Object.fromEntries(
      Object.entries(options).map(([key, values]) => [key, values[0]]),
    );
    for (const [key, value] of Object.entries(settings)) {
      if (value === undefined) continue;
      if (Object.hasOwn(hyperparameters, key))
        values[key] = checkHyperparameterValue(name, key, value, hyperparameters[key]);
      else if (Object.hasOwn(options, key))
        choices[key] = checkChoice(name, key, value, options[key]);
      else
        throw unknownOption(name, key, [...Object.keys(hyperparameters), ...Object.keys(options)]);
    }
    return { rule, hyperparameters: values, options: choices, groups: [] };
  }

  const texts = (choices: CompleteChoices = {}): VariantTexts => textsOf(complete(choices), shape);
  const rule: Rule = {
    name,
    hyperparameters,
    options,
    structural,
    texts,
    variant,
    variants,
    specify,
  };
  return rule;
}
