import type { GroupOptions } from "./groups.js";
import type { Rule } from "./rule.js";

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
