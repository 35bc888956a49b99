import type { Kernel, Tensor, Update } from "../../backend/backend.js";
import {
  checkIsSpec,
  structuralOf,
  withOn,
  type GroupOptions,
  type OptimizerSpec,
} from "../../rule/rule.js";
import type { Variant } from "../../rule/variant.js";
import type { Clock } from "../step/step-scalars.js";

/** A rule of an optimizer, with what all of its groups share. */
export interface RuleContext {
  readonly spec: OptimizerSpec;
  readonly variant: Variant;
  /** Structural hyperparameters that are not 0, and those that were 0 when the optimizer was made and must stay 0. */
  readonly structural: readonly string[];
  readonly mustBeZero: readonly string[];
  /** One for all groups, since groups read the hyperparameters of the default group. */
  readonly clock: Clock;
  readonly run: KernelRun;
}

/** The updates of a step that the kernel of one rule executes. */
export interface KernelRun {
  /** Undefined before the first parameter. */
  kernel: Kernel | undefined;
  readonly updates: Update[];
  /** Number of updates, from the first, that are valid. */
  count: number;
  /** The slots that all parameters of the rule share, by name. */
  readonly shared: Map<string, Tensor>;
  /** What its reductions over all tensors compute, if other rules can share them. */
  readonly reductionKeys: readonly string[];
}

/**
 * The context of a rule.
 * @param groups the groups that it is used for
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function ruleContext(
  spec: OptimizerSpec,
  groups: readonly GroupOptions[],
  clock: Clock,
): RuleContext {
  const { rule, options } = spec;
  const structural = structuralOf(spec, groups);
  const variant = rule.variant(withOn(options, structural));
  const reductionKeys = variant.passPlan.temporaries.flatMap(({ key }) => key ?? []);
  return {
    spec,
    variant,
    structural,
    mustBeZero: rule.structural.filter((name) => !structural.includes(name)),
    clock,
    run: { kernel: undefined, updates: [], count: 0, shared: new Map(), reductionKeys },
  };
}

/**
 * A checked copy of a spec, which is plain data that may have been changed since it was made.
 * @param what where it was given, for the message
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function checkedSpec(what: string, spec: OptimizerSpec): OptimizerSpec {
  checkIsSpec(what, spec);
  const { rule, hyperparameters, options, structural, control, sparseOptions } = spec;
  const checked = rule.specify({ ...hyperparameters, ...options });
  return {
    ...checked,
    ...(structural === undefined ? {} : { structural }),
    ...(control === undefined ? {} : { control }),
    ...(sparseOptions === undefined ? {} : { sparseOptions }),
  };
}
