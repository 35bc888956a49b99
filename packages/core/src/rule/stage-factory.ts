import { parse } from "../language/parse.js";
import { assembleRule, type CompleteChoices, type Settings } from "./assemble-rule.js";
import { GradstepError, list, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { isSchedule, type Schedule } from "../schedules/schedule.js";
import type { Hyperparameter } from "./hyperparameter.js";
import type { OptionTable } from "./options.js";
import type { Rule } from "./rule.js";
import {
  choose,
  evaluationSources,
  labelOf,
  withProperties,
  type Chosen,
  type Shape,
} from "./rule-factory.js";
import type {
  Matrices,
  MetricExtent,
  SlotDefinition,
  UpdatedArray,
  Variant,
  VariantTexts,
} from "./variant.js";

/** What `defineStage` takes. `H`: names of hyperparameters; `O`: options. */
export interface StageDefinition<H extends string, O extends OptionTable> {
  /** An identifier or lower-case words joined by hyphens, unique in an application: `plainAdam`, `plain-adam`. */
  readonly name: string;
  /** Numbers that may change between steps. A stage called with a number sets the first of them. None if left out. */
  readonly hyperparameters?: Readonly<Record<H, Hyperparameter>>;
  /** Whether a number in place of settings is refused, because it is not clear which hyperparameter it would be. */
  readonly needsNames?: boolean;
  /** Choices that are made with the optimizer and never change. None if left out. */
  readonly options?: O;
  /** As in `defineRule`. Names must differ from those of the rule and of other stages in a chain. */
  readonly slots?: Chosen<Readonly<Record<string, SlotDefinition<NoInfer<H> | "p">>>, O, never>;
  readonly persistentScalars?: Readonly<Record<string, number>>;
  /**
   * What the rows and columns of a tensor with more than two dimensions are, as in `defineRule`, after a rule that has
   * none of its own. Otherwise, they are those of the rule.
   */
  readonly matrices?: Matrices;
  /**
   * Slots and hyperparameters of the rule that the texts read in addition to `learningRate`. A rule without them is an
   * error in a chain. None if left out.
   */
  readonly reads?: StageReads;
  readonly metrics?: Readonly<Record<string, MetricExtent>>;
  /** As in `defineRule`. It can also read `learningRate`, that of the rule. */
  readonly perStep?: Chosen<string, O, never>;
  /**
   * Assignments computed on the backend. It assigns one of `g`, `u` and `p`, which says where the stage stands: before
   * the rule; between the rule and the application of its update; after it. A stage that assigns `g` reads `g` and `p`;
   * one that assigns `u` reads these and `u`; one that assigns `p` reads `p`.
   */
  readonly perElement: Chosen<string, O, never>;
  /** As in `defineRule`: assigns the weights to evaluate with to `p`. */
  readonly evaluation?: Chosen<string, O, never>;
}

/** What the texts of a stage read of the rule. */
export interface StageReads {
  /** Slots, as the rule has left them, with a value per element. Only a stage on `u` can read any. */
  readonly slots?: readonly string[];
  readonly hyperparameters?: readonly string[];
}

/** A stage without the types of its settings. */
export interface Stage extends Rule {
  /** What it updates. */
  readonly updated: UpdatedArray;
  /** What the rule of its chain must have. */
  readonly reads: StageReads;
}

/** A stage with its settings: what `clipByGlobalNorm(1)` returns and `chain` takes. */
export interface StageSpec<H extends string = string> {
  readonly stage: Stage;
  readonly hyperparameters: Readonly<Record<H, number | Schedule>>;
  readonly options: Readonly<Record<string, boolean | string>>;
}

/** A stage that can be called with a value of its first hyperparameter, or with settings. It has all properties of a `Stage`. */
export interface StageFactory<H extends string, O extends OptionTable> extends Stage {
  (settings?: number | Schedule | Settings<H, O>): StageSpec<H>;
  /** The stage without the call. */
  readonly stage: Stage;
}

/**
 * Makes the factory of a stage.
 * @param build builds a variant from its texts
 */
export function makeStage<H extends string, O extends OptionTable>(
  definition: StageDefinition<H, O>,
  build: (texts: VariantTexts) => Variant,
): StageFactory<H, O> {
  const { name, slots = {}, persistentScalars = {}, metrics = {}, matrices = "first" } = definition;
  const { perStep = "", perElement, evaluation, reads = {} } = definition;
  const hyperparameters = (definition.hyperparameters ?? {}) as Record<string, Hyperparameter>;
  const options: OptionTable = definition.options ?? {};
  const names = Object.keys(hyperparameters);
  const textsOf = (choices: CompleteChoices, shape: OptionTable): VariantTexts => {
    const chosen = choices as Shape<O, never>;
    const text = choose(perElement, chosen);
    return {
      rule: name,
      label: labelOf(name, choices, shape),
      hyperparameters: [...names, "learningRate", ...(reads.hyperparameters ?? [])],
      otherSlots: reads.slots ?? [],
      slots: choose(slots, chosen),
      persistentScalars,
      matrices,
      metrics,
      isStage: true,
      updated: updatedBy(name, text),
      perStep: [{ text: choose(perStep, chosen) }],
      perElement: [{ text }],
      evaluation: evaluationSources(choose<string | undefined, O, never>(evaluation, chosen)),
    };
  };
  const rule = assembleRule({ name, hyperparameters, options, structural: [] }, textsOf, build);
  const stage: Stage = { ...rule, updated: rule.texts().updated ?? "p", reads };
  const factory = (
    settings: number | Schedule | Readonly<Record<string, unknown>> = {},
  ): StageSpec => {
    const isValue = typeof settings === "number" || isSchedule(settings);
    if (isValue && definition.needsNames === true) {
      throw new GradstepError(
        `${name}: got ${show(settings)}; expected settings by name, such as { ${names.join(": …, ")}: … }.`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    if (!isValue && (typeof settings !== "object" || isArray(settings))) {
      throw new GradstepError(
        `${name}: got ${show(settings)}; expected ${names.length === 0 ? "no value" : `a number, or settings by name, such as { ${names[0]}: … }`}.`,
        { code: "UNKNOWN_OPTION" },
      );
    }
    const given = isValue ? { [names[0] ?? "value"]: settings } : settings;
    const { hyperparameters: numbers, options: chosen } = rule.specify(given);
    return { stage, hyperparameters: numbers, options: chosen };
  };
  return withProperties(factory, stage, { stage }) as StageFactory<H, O>;
}

/** @throws {GradstepError} `INVALID_RULE` */
function updatedBy(stage: string, text: unknown): UpdatedArray {
  let assigned: readonly string[] = ["p"];
  try {
    assigned = parse(String(text)).map(({ name }) => name);
  } catch {
    // What is wrong with it is reported when the variant is built.
  }
  const updated = (["g", "u", "p"] as const).filter((name) => assigned.includes(name));
  if (updated.length === 1) return updated[0];
  throw new GradstepError(
    `Stage ${stage}: perElement assigns ${list(updated)}; expected exactly one of g, u and p, which says where the stage stands; p = p changes nothing.`,
    { code: "INVALID_RULE" },
  );
}
