import { GradstepError, list, show } from "../errors.js";
import { digest } from "../language/digest.js";
import { propertyOf } from "../argument-checks/property-of.js";
import type { Schedule } from "../schedules/schedule.js";
import type { Hyperparameter } from "./hyperparameter.js";
import type { HyperparameterValue } from "./hyperparameter-value.js";
import type { OptionTable } from "./options.js";
import type { SparseOptions } from "./sparse-options.js";
import type { StepControlOptions } from "./step-control-options.js";
import type { Variant, VariantTexts } from "./variant.js";
import { isArray } from "../argument-checks/is-array.js";

/** A rule without the types of its settings. */
export interface Rule {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: OptionTable;
  /** Hyperparameters that must stay 0 in an optimizer that was made with 0. */
  readonly structural: readonly string[];
  /** Whether its text, or that of a part of a chain, comes from outside of this package. False if left out. */
  readonly isOwn?: boolean;
  /** The texts and names of the variant for these choices. */
  texts(choices?: Readonly<Record<string, boolean | string>>): VariantTexts;
  /** The variant for these choices; options that are left out have their default. Equal choices give the same object. */
  variant(choices?: Readonly<Record<string, boolean | string>>): Variant;
  /** The variants that differ in what they compute per element. */
  variants(): readonly Variant[];
  /**
   * Splits settings into hyperparameters and options, and checks them.
   * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
   */
  specify(settings: Readonly<Record<string, unknown>>): OptimizerSpec;
}

/**
 * Checks that a value is a rule: what `defineRule` returned, or its `rule`.
 * @param what whose argument it is, for the message
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkRule(what: string, rule: unknown): asserts rule is Rule {
  if (typeof propertyOf(rule, "variants") === "function") return;
  throw new GradstepError(
    `${what}: got ${show(rule)}; expected a rule, such as adam or what defineRule() returned.`,
    { code: "INVALID_RULE" },
  );
}

/**
 * A rule with its settings: what `adam({ … })` and `fromKeras(…)` return and `createOptimizer` takes. Apart from the
 * rule it is plain data. It may be used for any number of optimizers. `R`: hyperparameters of the own rules of its groups.
 */
export interface OptimizerSpec<H extends string = string, R extends string = string> {
  readonly rule: Rule;
  /** A checked number per hyperparameter of the rule, or a schedule. */
  readonly hyperparameters: Readonly<Record<H, number | Schedule>>;
  /** A checked value per option of the rule. */
  readonly options: Readonly<Record<string, boolean | string>>;
  /** Groups that are part of the settings, as in PyTorch. */
  readonly groups: readonly (GroupOptions<H> & { readonly rule?: GroupRule<R> })[];
  /** Structural hyperparameters that count as not 0 although they are 0 now, so that the state has their slots. */
  readonly structural?: readonly string[];
  /** When calls become steps; every call is a step that is taken if left out. */
  readonly control?: StepControlOptions;
  /** What steps do with sparse gradients. */
  readonly sparseOptions?: SparseOptions;
}

/** Whether a value that is a rule or a spec is a spec. */
export function isSpec(value: unknown): value is OptimizerSpec {
  return ["rule", "groups"].every((name) => propertyOf(value, name) !== undefined);
}

/**
 * Checks that a value is a rule with its settings; not what these are.
 * @param what where it was given, for the message
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkIsSpec(what: string, spec: OptimizerSpec): void {
  if (
    typeof spec === "object" &&
    typeof propertyOf(propertyOf(spec, "rule"), "specify") === "function"
  )
    return;
  throw new GradstepError(
    `Got ${show(spec)} as ${what}; expected what a rule of @gradstep/core returns when called, such as adam().`,
    { code: "INVALID_RULE" },
  );
}

/** What a function that selects parameters is given. */
export interface MatchedParameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Selects parameters: a name, a list of names, a pattern for names, or a function that tests a parameter. */
export type Match =
  | string
  | readonly string[]
  | RegExp
  | ((parameter: MatchedParameter) => boolean);

/** The rule of a group, whose hyperparameters are some of these: groups can have different ones. */
export type GroupRule<R extends string> = Omit<OptimizerSpec, "hyperparameters"> & {
  readonly hyperparameters: Partial<Readonly<Record<R, number | Schedule>>>;
};

/** Names of hyperparameters; none if they are not known. */
export type KnownNames<R extends string> = string extends R ? never : R;

/** Hyperparameters for some of the parameters. `R`: those of the group's own rule. */
export type GroupOptions<H extends string = string, R extends string = string> = {
  readonly match: Match;
  /**
   * A rule or chain for these parameters, in place of the optimizer's: `muon({ learningRate: 0.02 })`. Its
   * hyperparameters are those of the group. Steps are counted together.
   */
  readonly rule?: string extends R ? OptimizerSpec : GroupRule<R>;
  /**
   * The group is updated every `every` steps of the optimizer, for the first time at step number `every`, and counts its
   * own steps. Its gradients are ignored at the other steps. 1 if left out.
   */
  readonly every?: number | undefined;
  /** Whether the group stays as it is: its gradients are ignored, and it counts no steps. False if left out. */
  readonly frozen?: boolean | undefined;
  /** As in the options of the optimizer, which apply if left out. */
  readonly sparse?: SparseOptions["sparse"];
  readonly rowSteps?: SparseOptions["rowSteps"];
} & (string extends H
  ? Readonly<Record<string, unknown>>
  : Partial<Readonly<Record<H | KnownNames<NoInfer<R>>, HyperparameterValue>>>);

/**
 * The structural hyperparameters that are not 0 in the spec or in a group, or that the spec lists.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function structuralOf(spec: OptimizerSpec, groups: readonly GroupOptions[]): string[] {
  const { rule, structural = [] } = spec;
  if (!isArray(structural) || !structural.every((name) => rule.structural.includes(name))) {
    throw new GradstepError(
      `structural is ${show(structural)}; expected a list of some of ${list(rule.structural)}.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const isOn = (name: string): boolean =>
    [spec.hyperparameters, ...groups].some(
      (values) => ((values as Record<string, unknown>)[name] ?? 0) !== 0,
    );
  return rule.structural.filter((name) => structural.includes(name) || isOn(name));
}

/** The choices of a variant: options, and the structural hyperparameters that are not 0. */
export function withOn(
  options: OptimizerSpec["options"],
  structural: readonly string[],
): OptimizerSpec["options"] {
  return { ...options, ...Object.fromEntries(structural.map((name) => [name, true])) };
}

/**
 * A hash of what a rule computes with these options, whatever the text looks like: equal for equal mathematics.
 * Hyperparameters that are 0 make no difference.
 */
export function ruleFingerprint({ rule, options }: OptimizerSpec): string {
  const { perStep, perElement, evaluation } = rule.variant(withOn(options, rule.structural));
  const programs = [perStep, perElement, evaluation?.perElement];
  return digest(programs.map((program) => program?.fingerprint).join());
}

/**
 * The variant that an optimizer of this spec and these groups compiles; it defines the slots.
 * @param groups those of the spec if left out
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function variantOf(spec: OptimizerSpec, groups?: readonly GroupOptions[]): Variant {
  checkIsSpec("the spec of a variant", spec);
  return spec.rule.variant(withOn(spec.options, structuralOf(spec, groups ?? spec.groups)));
}
