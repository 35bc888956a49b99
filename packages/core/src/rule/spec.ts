import { GradstepError, list, show } from "../errors.js";
import type { GroupOptions } from "../optimizer/group-options.js";
import type { Hyperparameter } from "./hyperparameter.js";
import type { OptionTable } from "./options.js";
import type { Variant } from "./variant.js";

/** A rule whose types are not known: what registries hold and backends see. */
export interface Rule {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: OptionTable;
  /** Hyperparameters that must stay 0 in an optimizer that was made with 0. */
  readonly structural: readonly string[];
  /** The variant for these choices; left out, an option has its default. Equal choices give the same object. */
  variant(choices?: Readonly<Record<string, boolean | string>>): Variant;
  /** Every variant that differs in what it computes for an element. */
  variants(): readonly Variant[];
  /** Splits and checks settings. @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  specify(settings: Readonly<Record<string, unknown>>): OptimizerSpec;
}

/**
 * Checks that a value is a rule: what `defineRule` returned, or its `rule`.
 * @param what whose argument it is, for the message
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkRule(what: string, rule: unknown): asserts rule is Rule {
  if (typeof (rule as Partial<Rule> | null | undefined)?.variants === "function") return;
  throw new GradstepError(
    `${what}: got ${show(rule)}; expected a rule, such as adam or what defineRule() returned.`,
    { code: "INVALID_RULE" },
  );
}

/**
 * A rule with its settings: what `adam({ … })` and `fromKeras(…)` give and `createOptimizer` takes. Plain data beside
 * the rule; it may be used for any number of optimizers.
 */
export interface OptimizerSpec<H extends string = string> {
  readonly rule: Rule;
  /** A checked value for each hyperparameter of the rule. */
  readonly hyperparameters: Readonly<Record<H, number>>;
  /** A checked value for each option of the rule. */
  readonly options: Readonly<Record<string, boolean | string>>;
  /** Groups that came with the settings, as PyTorch's do. */
  readonly groups: readonly GroupOptions<H>[];
  /** Switches of the rule that are on although their hyperparameter is 0 now, so that the state has a place for it. */
  readonly structural?: readonly string[];
}

/**
 * The rule's switches that are on: their hyperparameter is not 0 in the spec, or in a group, or the spec says so.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function structuralOf(spec: OptimizerSpec, groups: readonly GroupOptions[]): string[] {
  const { rule, structural = [] } = spec;
  if (!Array.isArray(structural) || !structural.every((name) => rule.structural.includes(name))) {
    throw new GradstepError(
      `structural is ${show(structural)}; expected some of ${list(rule.structural)}, which ${rule.name} has.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const isOn = (name: string): boolean =>
    [spec.hyperparameters, ...groups].some(
      (values) => ((values as Record<string, unknown>)[name] ?? 0) !== 0,
    );
  return rule.structural.filter((name) => structural.includes(name) || isOn(name));
}

/** The variant that an optimizer of this spec and these groups compiles; it says which slots there are. */
export function variantOf(
  spec: OptimizerSpec,
  groups: readonly GroupOptions[] = spec.groups,
): Variant {
  const on = structuralOf(spec, groups);
  return spec.rule.variant({
    ...spec.options,
    ...Object.fromEntries(on.map((name) => [name, true])),
  });
}
