import type { GroupOptions } from "./groups.js";
import type { Rule } from "./assembled-rule.js";
import type { Variant } from "./variant.js";

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
}

/** The rule's switches that are on: their hyperparameter is not 0 in the spec, or in a group. */
export function switchesOf(spec: OptimizerSpec, groups: readonly GroupOptions[]): string[] {
  const isOn = (name: string): boolean =>
    [spec.hyperparameters, ...groups].some(
      (values) => ((values as Record<string, unknown>)[name] ?? 0) !== 0,
    );
  return spec.rule.switches.filter(isOn);
}

/** The variant that an optimizer of this spec and these groups compiles; it says which slots there are. */
export function variantOf(
  spec: OptimizerSpec,
  groups: readonly GroupOptions[] = spec.groups,
): Variant {
  const on = switchesOf(spec, groups);
  return spec.rule.variant({
    ...spec.options,
    ...Object.fromEntries(on.map((name) => [name, true])),
  });
}
