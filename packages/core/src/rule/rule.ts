import { assembleRule, type Settings } from "./assembled-rule.js";
import { checkDefinition, checkKeys } from "./definition-checks.js";
import { GradstepError, list } from "../errors.js";
import { nonNegative, type Hyperparameter } from "./hyperparameter.js";
import type { Choices, OptionTable } from "./options.js";
import type { OptimizerSpec, Rule } from "./spec.js";
import { buildVariant } from "./variant.js";

/** What the texts of a rule depend on: a value for each option, and whether each structural hyperparameter is not 0. */
export type Shape<O extends OptionTable, S extends string> = Choices<O> &
  Readonly<Record<S, boolean>>;

/** A text, or what makes it from the chosen options. */
type Chosen<T, O extends OptionTable, S extends string> =
  | T
  | ((choices: Shape<NoInfer<O>, NoInfer<S>>) => T);

/** What `defineRule` takes. `H`: names of hyperparameters; `O`: options; `S`: structural hyperparameters. */
export interface RuleDefinition<H extends string, O extends OptionTable, S extends H> {
  /** Lower case, unique in an application. */
  readonly name: string;
  /** Numbers that may change between steps, with their ranges. `learningRate` must be among them. */
  readonly hyperparameters: Readonly<Record<H, Hyperparameter>>;
  /** Choices that are made with the optimizer and never change; each may select other texts. */
  readonly options?: O;
  /** Hyperparameters whose being 0 at first selects a simpler text; they are booleans among the choices. */
  readonly structural?: readonly S[];
  /** State beside each parameter: name → first value (a number, or the hyperparameter that holds it). None if left out. */
  readonly slots?: Chosen<Readonly<Record<string, number | NoInfer<H>>>, O, S>;
  /** Scalars that one step hands to the next: name → value before the first. */
  readonly persistentScalars?: Readonly<Record<string, number>>;
  /**
   * Assignments computed once a step on the host, in f64. Reads hyperparameters, the step number `t` (1 at the first
   * step) and the persistentScalars; assigns scalars and the persistent scalars. None if left out.
   */
  readonly perStep?: Chosen<string, O, S>;
  /**
   * Assignments computed for every element on the backend, in this order. Reads `p`, `g`, the slots, hyperparameters
   * and the scalars of `perStep`; assigns `p`, slots and temporaries.
   */
  readonly perElement: Chosen<string, O, S>;
}

/** What every rule has beside its own: decay of the weights, and the direction. */
const commonHyperparameters = { weightDecay: nonNegative(0) } as const;
const commonOptions = { weightDecayMode: ["decoupled", "l2"], maximize: [false, true] } as const;

/** Hyperparameters of every rule. */
export type CommonHyperparameter = keyof typeof commonHyperparameters;
/** Options of every rule. */
export type CommonOptions = typeof commonOptions;

/**
 * A rule that can be called with settings: `adam({ learningRate: 0.01 })`. It has all properties of a `Rule`, and can be
 * passed where one is expected.
 */
export interface RuleFactory<H extends string, O extends OptionTable> extends Rule {
  (
    settings?: Settings<H | CommonHyperparameter, O & CommonOptions>,
  ): OptimizerSpec<H | CommonHyperparameter>;
  /** The rule without the call. */
  readonly rule: Rule;
  /** The same mathematics under another name, with other defaults. @throws {GradstepError} `INVALID_RULE` */
  extend(changes: {
    readonly name: string;
    readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  }): RuleFactory<H, O>;
}

/**
 * As `defineRule`, without building every variant to see whether it can be built: an import of all built-in rules would
 * take half a second. The tests of this package do that.
 */
export function builtInRule<
  const H extends string,
  const O extends OptionTable = Record<never, never>,
  const S extends H = never,
>(definition: RuleDefinition<H, O, S>): RuleFactory<H, O> {
  checkKeys(definition);
  const { name } = definition;
  const hyperparameters: Readonly<Record<string, Hyperparameter>> = {
    ...commonHyperparameters,
    ...definition.hyperparameters,
  };
  for (const key of Object.keys(commonOptions)) {
    if (Object.hasOwn(definition.options ?? {}, key))
      throw new GradstepError(
        `Rule ${name}: every rule has the option "${key}" already; choose another name.`,
        { code: "INVALID_RULE" },
      );
  }
  const options: OptionTable = { ...commonOptions, ...definition.options };
  const structural: readonly string[] = definition.structural ?? [];
  checkDefinition({ name, hyperparameters, options, structural });

  const rule = assembleRule({ name, hyperparameters, options, structural }, (choices, shape) => {
    const chosen = choices as Shape<O, S>;
    const frame = frameOf(choices);
    const { slots = {}, persistentScalars = {}, perStep = "", perElement } = definition;
    return buildVariant({
      rule: name,
      label: labelOf(name, choices, shape),
      hyperparameters: Object.keys(hyperparameters),
      slots: choose(slots, chosen),
      persistentScalars,
      perStep: [frame.perStep, choose(perStep, chosen)],
      perElement: [frame.perElement, choose(perElement, chosen)],
    });
  });
  const factory = (settings: Readonly<Record<string, unknown>> = {}): OptimizerSpec =>
    rule.specify(settings);
  const extend: RuleFactory<H, O>["extend"] = (changes) => {
    const unknown = Object.keys(changes?.hyperparameters ?? {}).find(
      (key) => !Object.hasOwn(hyperparameters, key),
    );
    if (unknown !== undefined) {
      throw new GradstepError(
        `${name} has no hyperparameter "${unknown}" to have another default; it has ${list(Object.keys(hyperparameters))}.`,
        { code: "INVALID_RULE" },
      );
    }
    return builtInRule<H, O, S>({
      ...definition,
      name: changes?.name,
      hyperparameters: { ...definition.hyperparameters, ...changes?.hyperparameters },
    });
  };
  // A function's name cannot be assigned to.
  Object.defineProperty(factory, "name", { value: name });
  const { name: _, ...properties } = rule;
  return Object.assign(factory, { ...properties, rule, extend }) as unknown as RuleFactory<H, O>;
}

/**
 * Makes an optimizer rule from a few lines of mathematics.
 *
 * Around them stands what all rules share, in Keras's order: `maximize` and L2 decay act on the gradient, decoupled
 * decay (p ← p·(1 − learningRate·weightDecay)) on the parameter, then the rule. All of it is one pass over memory.
 *
 * @throws {GradstepError} `RULE_SYNTAX` (points at the column), `INVALID_RULE`. Every variant is checked at once.
 */
export function defineRule<
  const H extends string,
  const O extends OptionTable = Record<never, never>,
  const S extends H = never,
>(definition: RuleDefinition<H, O, S>): RuleFactory<H, O> {
  const factory = builtInRule(definition);
  factory.rule.variants();
  return factory;
}

/** The lines that stand before every rule's own. Each factor is exactly 1, or 0, where it has nothing to do. */
function frameOf({ weightDecayMode, maximize }: Readonly<Record<string, boolean | string>>): {
  perStep: string;
  perElement: string;
} {
  const l2 = weightDecayMode === "l2";
  if (!l2 && maximize === false) {
    return { perStep: "decay = 1 - learningRate * weightDecay", perElement: "p = p * decay" };
  }
  return {
    perStep: `
      direction = ${maximize === true ? "-1" : "1"}
      decay = ${l2 ? "1" : "1 - learningRate * weightDecay"}
      l2 = ${l2 ? "weightDecay" : "0"}`,
    perElement: `
      g = g * direction + p * l2
      p = p * decay`,
  };
}

function choose<T, O extends OptionTable, S extends string>(
  chosen: Chosen<T, O, S>,
  choices: Shape<O, S>,
): T {
  return typeof chosen === "function" ? (chosen as (choices: Shape<O, S>) => T)(choices) : chosen;
}

function labelOf(
  name: string,
  choices: Readonly<Record<string, boolean | string>>,
  table: OptionTable,
): string {
  const parts = Object.entries(choices)
    .filter(([key, value]) => value !== table[key][0])
    .map(([key, value]) => (value === true ? key : `${key}=${value}`));
  return [name, ...parts].join(" ");
}
