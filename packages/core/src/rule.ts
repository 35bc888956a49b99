import { checkDefinition, checkKeys } from "./definition-checks.js";
import { GradstepError, list, show } from "./errors.js";
import { checkHyperparameter, nonNegative, type Hyperparameter } from "./hyperparameter.js";
import type { OptimizerSpec } from "./spec.js";
import { buildVariant, type Variant } from "./variant.js";

/** The values an option may take; the first is the default. */
export type OptionValues = readonly (boolean | string)[];
/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionValues>>;

/** One value for each option. */
export type Choices<O extends OptionTable> = { readonly [K in keyof O]: O[K][number] };

/** What the texts of a rule depend on: a value for each option, and whether each switch is on. */
export type Shape<O extends OptionTable, S extends string> = Choices<O> &
  Readonly<Record<S, boolean>>;

/** A text, or what makes it from the chosen options. */
type Chosen<T, O extends OptionTable, S extends string> =
  | T
  | ((choices: Shape<NoInfer<O>, NoInfer<S>>) => T);

/** What `defineRule` takes. `H`: names of hyperparameters; `O`: options; `S`: hyperparameters that are switches. */
export interface RuleDefinition<H extends string, O extends OptionTable, S extends H> {
  /** Lower case, unique in an application. */
  readonly name: string;
  /** Numbers that may change between steps, with their ranges. `learningRate` must be among them. */
  readonly hyperparameters: Readonly<Record<H, Hyperparameter>>;
  /** Choices that are made with the optimizer and never change; each may select other texts. */
  readonly options?: O;
  /** Hyperparameters whose being 0 at first selects a simpler text; they are booleans among the choices. */
  readonly switches?: readonly S[];
  /** State beside each parameter: name → first value (a number, or the hyperparameter that holds it). */
  readonly slots: Chosen<Readonly<Record<string, number | NoInfer<H>>>, O, S>;
  /** Scalars that one step hands to the next: name → value before the first. */
  readonly carry?: Readonly<Record<string, number>>;
  /**
   * Assignments computed once a step on the host, in f64. Reads hyperparameters, the step number `t` (1 at the first
   * step) and the carry; assigns scalars and the carry.
   */
  readonly perStep: Chosen<string, O, S>;
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

/** A rule whose types are not known: what registries hold and backends see. */
export interface Rule {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: OptionTable;
  /** Hyperparameters that must stay 0 in an optimizer that was made with 0. */
  readonly switches: readonly string[];
  /** The variant for these choices; left out, an option has its default. Equal choices give the same object. */
  variant(choices?: Readonly<Record<string, boolean | string>>): Variant;
  /** Every variant that differs in what it computes for an element. */
  variants(): readonly Variant[];
  /** Splits and checks settings. @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  specify(settings: Readonly<Record<string, unknown>>): OptimizerSpec;
}

/** What a rule can be called with: any of its hyperparameters and options. */
export type Settings<H extends string, O extends OptionTable> = Partial<
  Readonly<Record<H, number>>
> &
  Partial<Choices<O>>;

/** A rule as it is used: `adam({ learningRate: 0.01 })`. `rule` holds what it is made of. */
export interface RuleFactory<H extends string, O extends OptionTable> {
  (
    settings?: Settings<H | CommonHyperparameter, O & CommonOptions>,
  ): OptimizerSpec<H | CommonHyperparameter>;
  readonly rule: Rule;
  /** The same mathematics under another name, with other defaults. */
  extend(changes: {
    readonly name: string;
    readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  }): RuleFactory<H, O>;
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
  const switches: readonly string[] = definition.switches ?? [];
  const cache = new Map<string, Variant>();
  checkDefinition({ name, hyperparameters, options, switches });

  const shape: OptionTable = {
    ...options,
    ...Object.fromEntries(switches.map((key) => [key, [false, true]])),
  };

  function variant(choices: Readonly<Record<string, boolean | string>> = {}): Variant {
    for (const [key, value] of Object.entries(choices)) {
      if (!Object.hasOwn(shape, key))
        throw new GradstepError(
          `${name} has no option "${key}"; it has ${list(Object.keys(shape))}.`,
          {
            code: "UNKNOWN_OPTION",
          },
        );
      if (value !== undefined) checkOption(name, key, value, shape[key]);
    }
    const complete = Object.fromEntries(
      Object.entries(shape).map(([key, values]) => [key, choices[key] ?? values[0]]),
    );
    const key = JSON.stringify(complete);
    let found = cache.get(key);
    if (found === undefined) {
      const chosen = complete as Shape<O, S>;
      const frame = frameOf(complete);
      found = buildVariant({
        rule: name,
        label: labelOf(name, complete, shape),
        hyperparameters: Object.keys(hyperparameters),
        slots: choose(definition.slots, chosen),
        carry: definition.carry ?? {},
        perStep: [frame.perStep, String(choose(definition.perStep, chosen))],
        perElement: [frame.perElement, String(choose(definition.perElement, chosen))],
      });
      cache.set(key, found);
    }
    return found;
  }

  function variants(): readonly Variant[] {
    const distinct = new Map<string, Variant>();
    for (const choices of combinations(shape)) {
      const one = variant(choices);
      if (!distinct.has(one.perElement.fingerprint)) distinct.set(one.perElement.fingerprint, one);
    }
    return [...distinct.values()];
  }

  function specify(settings: Readonly<Record<string, unknown>>): OptimizerSpec {
    if (settings === null || typeof settings !== "object" || Array.isArray(settings)) {
      throw new GradstepError(
        `${name}: got ${show(settings)}; expected an object of settings, such as { learningRate: 0.01 }.`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    const numbers = Object.fromEntries(
      Object.entries(hyperparameters).map(([key, range]) => [key, range.default]),
    );
    const choices = Object.fromEntries(
      Object.entries(options).map(([key, values]) => [key, values[0]]),
    );
    for (const [key, value] of Object.entries(settings)) {
      if (value === undefined) continue;
      if (Object.hasOwn(hyperparameters, key))
        numbers[key] = checkHyperparameter(name, key, value, hyperparameters[key]);
      else if (Object.hasOwn(options, key))
        choices[key] = checkOption(name, key, value, options[key]);
      else {
        throw new GradstepError(
          `${name} has no option "${key}"; it has ${list([...Object.keys(hyperparameters), ...Object.keys(options)])}.`,
          { code: "UNKNOWN_OPTION" },
        );
      }
    }
    return { rule, hyperparameters: numbers, options: choices, groups: [] };
  }

  const rule: Rule = { name, hyperparameters, options, switches, variant, variants, specify };
  for (const choices of combinations(shape)) variant(choices);
  const factory = (settings: Readonly<Record<string, unknown>> = {}): OptimizerSpec =>
    specify(settings);
  const extend: RuleFactory<H, O>["extend"] = (changes) =>
    defineRule<H, O, S>({
      ...definition,
      name: changes?.name,
      hyperparameters: { ...definition.hyperparameters, ...changes?.hyperparameters },
    });
  return Object.assign(factory, { rule, extend }) as unknown as RuleFactory<H, O>;
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

/** Every way to choose one value for each key. */
export function* combinations(table: OptionTable): Generator<Record<string, boolean | string>> {
  const entries = Object.entries(table);
  const total = entries.reduce((product, [, values]) => product * values.length, 1);
  for (let index = 0; index < total; index += 1) {
    let rest = index;
    yield Object.fromEntries(
      entries.map(([key, values]) => {
        const value = values[rest % values.length];
        rest = Math.floor(rest / values.length);
        return [key, value];
      }),
    );
  }
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

function checkOption(
  owner: string,
  name: string,
  value: unknown,
  values: OptionValues,
): boolean | string {
  const found = values.find((one) => one === value);
  if (found !== undefined) return found;
  throw new GradstepError(
    `${owner}: ${name} is ${show(value)}; expected ${values.map((one) => show(one)).join(" or ")}.`,
    {
      code: "INVALID_HYPERPARAMETER",
    },
  );
}
