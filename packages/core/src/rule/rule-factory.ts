import { assembleRule, type CompleteChoices, type Settings } from "./assemble-rule.js";
import { commonHyperparameters, commonOptions, commonStatements } from "./common-statements.js";
import { GradstepError, list, show } from "../errors.js";
import type { Source } from "../language/build-program.js";
import { checkHyperparameter, type Hyperparameter } from "./hyperparameter.js";
import type { Choices, OptionTable } from "./options.js";
import type { OptimizerSpec, Rule } from "./rule.js";
import { withCommonStatements } from "./with-common-statements.js";
import type { Matrices, MetricExtent, SlotDefinition, Variant, VariantTexts } from "./variant.js";

/** What the texts of a rule depend on: a value per option, and whether each structural hyperparameter is not 0. */
export type Shape<O extends OptionTable, S extends string> = Choices<O> &
  Readonly<Record<S, boolean>>;

/** A value, or a function that returns it for the chosen options. */
export type Chosen<T, O extends OptionTable, S extends string> =
  | T
  | ((choices: Shape<NoInfer<O>, NoInfer<S>>) => T);

/** What `defineRule` takes. `H`: names of hyperparameters; `O`: options; `S`: structural hyperparameters. */
export interface RuleDefinition<H extends string, O extends OptionTable, S extends H> {
  /** An identifier or lower-case words joined by hyphens, unique in an application: `plainAdam`, `plain-adam`. */
  readonly name: string;
  /** Numbers that may change between steps, with their ranges. `learningRate` must be among them. */
  readonly hyperparameters: Readonly<Record<H, Hyperparameter>>;
  /**
   * Choices that are made with the optimizer and never change; each may select other texts. With `weightDecayMode`, a
   * rule selects other modes than `["decoupled", "l2"]`, or another order: in a mode of its own, such as `"update"`, it
   * applies `weightDecay` itself.
   */
  readonly options?: O;
  /** Hyperparameters that select a simpler text if they are 0 at first; they are booleans among the choices. */
  readonly structural?: readonly S[];
  /**
   * State per parameter, by name: the first value, which is a number, the hyperparameter that holds it, or `"p"` for a
   * copy of the parameter; or `{ extent, initial }` for a slot with one value per row, column or tensor. None if left out.
   */
  readonly slots?: Chosen<Readonly<Record<string, SlotDefinition<NoInfer<H> | "p">>>, O, S>;
  /**
   * What the rows and columns of a tensor with more than two dimensions are: the first dimension and all others
   * (`first`), or the last two (`last`). `first` if left out.
   */
  readonly matrices?: Matrices;
  /** Scalars of `perStep` that are kept from step to step: name → value before the first step. `perElement` cannot read them. */
  readonly persistentScalars?: Readonly<Record<string, number>>;
  /**
   * Values to be read with `optimizer.metrics()`: names that the text assigns in each step, with how many values
   * they have. None if left out.
   */
  readonly metrics?: Readonly<Record<string, MetricExtent>>;
  /**
   * Assignments computed once per step on the host, in f64. Reads hyperparameters, the step number `t` (1 at the first
   * step) and the persistent scalars; assigns scalars and persistent scalars. None if left out.
   */
  readonly perStep?: Chosen<string, O, S>;
  /**
   * Assignments computed on the backend, in this order. Reads `p`, `g`, the slots, hyperparameters and the scalars of
   * `perStep`; assigns slots, temporaries and `u`, the update: `p = p - u` follows. A text may assign `p` itself instead.
   */
  readonly perElement: Chosen<string, O, S>;
  /**
   * For rules whose parameters are not the weights to evaluate with: assigns these to `p`, from `p`, slots,
   * hyperparameters and scalars. See `optimizer.swap`. None if left out.
   */
  readonly evaluation?: Chosen<string, O, S>;
}

/** Hyperparameters of every rule. */
export type CommonHyperparameter = keyof typeof commonHyperparameters;
/** Options of every rule. */
export type CommonOptions = typeof commonOptions;

/** What an extended rule changes. */
export interface RuleChanges {
  readonly name: string;
  /** New defaults and ranges. */
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
}

/**
 * A rule that can be called with settings: `adam({ learningRate: 0.01 })`. It has all properties of a `Rule`, and can be
 * passed where one is expected.
 */
export interface RuleFactory<H extends string, O extends OptionTable> extends Rule {
  (
    settings?: Settings<H | CommonHyperparameter, O & Omit<CommonOptions, keyof O>>,
  ): OptimizerSpec<H | CommonHyperparameter>;
  /** The rule without the call. */
  readonly rule: Rule;
  /**
   * The same mathematics under another name, with other defaults.
   * @throws {GradstepError} `INVALID_RULE`, `INVALID_HYPERPARAMETER`
   */
  extend(changes: RuleChanges): RuleFactory<H, O>;
}

/** The text of the weights to evaluate with; none if it is left out, or blank for the chosen options. */
export function evaluationSources(text: string | undefined): readonly Source[] {
  const isBlank = typeof text === "string" && text.trim() === "";
  return text === undefined || isBlank ? [] : [{ text }];
}

/**
 * Makes the factory of a rule.
 * @param build builds a variant from its texts
 * @param define defines the rules that extend this one
 */
export function makeFactory<H extends string, O extends OptionTable, S extends H>(
  definition: RuleDefinition<H, O, S>,
  build: (texts: VariantTexts) => Variant,
  define: (extended: RuleDefinition<H, O, S>) => RuleFactory<H, O>,
): RuleFactory<H, O> {
  const { name, slots = {}, persistentScalars = {}, perStep = "", perElement } = definition;
  const { matrices, metrics = {}, evaluation } = definition;
  const structural: readonly string[] = definition.structural ?? [];
  const hyperparameters: Readonly<Record<string, Hyperparameter>> = {
    ...commonHyperparameters,
    ...definition.hyperparameters,
  };
  const options: OptionTable = { ...commonOptions, ...definition.options };

  const textsOf = (choices: CompleteChoices, shape: OptionTable): VariantTexts => {
    const chosen = choices as Shape<O, S>;
    const common = commonStatements(choices);
    return {
      rule: name,
      label: labelOf(name, choices, shape),
      hyperparameters: Object.keys(hyperparameters),
      slots: choose(slots, chosen),
      persistentScalars,
      ...(matrices === undefined ? {} : { matrices }),
      metrics,
      perStep: [{ text: common.perStep, isCommon: true }, { text: choose(perStep, chosen) }],
      perElement: withCommonStatements(common.perElement, choose(perElement, chosen)),
      evaluation: evaluationSources(choose<string | undefined, O, S>(evaluation, chosen)),
    };
  };
  const rule = assembleRule({ name, hyperparameters, options, structural }, textsOf, build);
  const factory = (settings: Readonly<Record<string, unknown>> = {}): OptimizerSpec =>
    rule.specify(settings);
  const extend = (changes: RuleChanges): RuleFactory<H, O> => {
    checkChanges(rule, changes);
    return define({
      ...definition,
      name: changes.name,
      hyperparameters: { ...definition.hyperparameters, ...changes.hyperparameters },
    });
  };
  return withProperties(factory, rule, { rule, extend }) as RuleFactory<H, O>;
}

/** Gives a function all properties of a rule, and some more. */
export function withProperties(call: object, { name, ...rule }: Rule, more: object): unknown {
  Object.assign(call, rule, more);
  // A function's name cannot be assigned to.
  return Object.defineProperty(call, "name", { value: name });
}

/** @throws {GradstepError} `INVALID_RULE`, `INVALID_HYPERPARAMETER` */
function checkChanges({ name, hyperparameters }: Rule, changes: RuleChanges): void {
  const { name: newName, hyperparameters: changed } = changes ?? {};
  if (typeof newName !== "string" || typeof changed !== "object" || changed === null) {
    throw new GradstepError(
      `${name}: got ${show(changes)} to extend it; expected { name, hyperparameters }.`,
      { code: "INVALID_RULE" },
    );
  }
  for (const [key, range] of Object.entries(changed)) {
    if (!Object.hasOwn(hyperparameters, key)) {
      throw new GradstepError(
        `${name} has no hyperparameter "${key}" to extend; it has ${list(Object.keys(hyperparameters))}.`,
        { code: "INVALID_RULE" },
      );
    }
    checkHyperparameter(`Rule ${newName}`, key, range?.default, range ?? hyperparameters[key]);
  }
}

/** The value for these choices. */
export function choose<T, O extends OptionTable, S extends string>(
  chosen: Chosen<T, O, S>,
  choices: Shape<O, S>,
): T {
  return typeof chosen === "function" ? (chosen as (choices: Shape<O, S>) => T)(choices) : chosen;
}

/** The name with the choices that differ from the defaults: `adam amsgrad`. */
export function labelOf(
  name: string,
  choices: Readonly<Record<string, boolean | string>>,
  table: OptionTable,
): string {
  const parts = Object.entries(choices)
    .filter(([key, value]) => value !== table[key][0])
    .map(([key, value]) => (value === true ? key : `${key}=${value}`));
  return [name, ...parts].join(" ");
}
