import type { Extent } from "../language/extent.js";
import { parse } from "../language/parse.js";
import type { Language } from "../language/language.js";
import type { PassPlan } from "../language/passes.js";
import { buildProgram, type Scope, type Source } from "../language/build-program.js";
import type { Program } from "../language/program.js";
import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { commonScalars } from "./common-statements.js";

/** How many values a slot has: one per element, row or column of its parameter, one per parameter, or one in all. */
export type SlotExtent = Exclude<Extent, "step">;

/** A tensor of state per parameter; with the extent `all`, one that all parameters share. */
export interface Slot {
  readonly name: string;
  /**
   * The first value of all elements: a number, the name of the hyperparameter that holds it, or `"p"` for a copy of the
   * parameter.
   */
  readonly initial: number | string;
  readonly extent: SlotExtent;
  /** Whether it is a metric: assigned in each step, and no part of the state. */
  readonly isMetric: boolean;
}

/**
 * What the rows and columns of a tensor are. `first`: a row is one index of the first dimension, its columns all others.
 * `last`: rows and columns are the last two dimensions; those before them make a batch of matrices.
 */
export type Matrices = "first" | "last";

/**
 * A rule whose options are chosen: everything that a backend compiles and an optimizer needs. Equal choices give the
 * same object. Hyperparameters are not part of it, so changing them recompiles nothing.
 */
export interface Variant {
  /** Name of the rule. */
  readonly rule: string;
  /** Name of the rule and the choices that differ from the defaults: `adam amsgrad`. */
  readonly label: string;
  readonly slots: readonly Slot[];
  /** Scalars that the rule keeps from step to step, with their values before the first step. */
  readonly persistentScalars: Readonly<Record<string, number>>;
  /**
   * Computed once per step on the host, in f64: from hyperparameters, `t` and the persistent scalars to the scalars of
   * the step and the next persistent scalars.
   */
  readonly perStep: Program;
  /** Computed on the backend: from `p`, `g`, slots and scalars to `p` and slots. */
  readonly perElement: Program;
  /** The passes in which a backend computes `perElement`; one if it has no reductions. */
  readonly passPlan: PassPlan;
  readonly matrices: Matrices;
  /** The scalars that `perElement` reads, in the order in which a kernel receives them. */
  readonly scalars: readonly string[];
  /**
   * For a chain whose parts can run one after the other, with `g` in memory of the step: these parts. For backends that
   * have compiled kernels of the parts, but not of the chain. Undefined for a single rule, and for a chain with a stage
   * between the rule and the application of its update.
   */
  readonly parts?: readonly VariantPart[];
  /**
   * What computes the weights to evaluate with, of the same slots: it changes `p` alone. Undefined for rules whose
   * parameters are these weights.
   */
  readonly evaluation?: Variant;
}

/** Whether a value has what backends read of a variant. */
export function isVariant(value: unknown): value is Variant {
  const passes = propertyOf(propertyOf(value, "passPlan"), "passes");
  const lists = [passes, propertyOf(value, "slots"), propertyOf(value, "scalars")];
  const fingerprint = propertyOf(propertyOf(value, "perElement"), "fingerprint");
  return typeof fingerprint === "string" && lists.every(isArray);
}

/**
 * Checks that a value is a variant, where a backend compiles it.
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkVariant(value: Variant): void {
  if (isVariant(value)) return;
  throw new GradstepError(
    `compile: got ${show(value)}; expected a variant, such as variantOf(adam()).`,
    { code: "INVALID_RULE" },
  );
}

/** A stage or the rule of a chain. */
export interface VariantPart {
  readonly variant: Variant;
  /** The index in the chain's scalars of each scalar of the part. */
  readonly scalars: readonly number[];
  /** The index in the chain's slots of each slot of the part. */
  readonly slots: readonly number[];
}

/** How many values a metric has. */
export type MetricExtent = "all" | "tensor";

/** What a stage updates: the gradient, the update of the rule, or the parameter. */
export type UpdatedArray = "g" | "u" | "p";

/** A slot in a definition: its first value, or with its extent. */
export type SlotDefinition<H = string> =
  | number
  | H
  | { readonly extent: SlotExtent; readonly initial: number | H };

/** The texts and names from which a variant is built. */
export interface VariantTexts {
  readonly rule: string;
  readonly label: string;
  readonly hyperparameters: readonly string[];
  readonly slots: Readonly<Record<string, SlotDefinition>>;
  readonly persistentScalars: Readonly<Record<string, number>>;
  readonly matrices?: Matrices;
  /** Values that are assigned in each step to be asked for, by name: one for all tensors, or one per tensor. */
  readonly metrics?: Readonly<Record<string, MetricExtent>>;
  /** The array that the texts update: `p`, or `g` or `u` for a stage on its own. `p` if left out. */
  readonly updated?: UpdatedArray;
  /** Whether it is a stage, which reads `g` only before the update is applied. */
  readonly isStage?: boolean;
  /** Slots with a value per element that belong to another part of a chain. None if left out. */
  readonly otherSlots?: readonly string[];
  /** Texts that follow one another. */
  readonly perStep: readonly Source[];
  readonly perElement: readonly Source[];
  /** The texts of `Variant.evaluation`; none if left out. */
  readonly evaluation?: readonly Source[];
}

/** A slot of a definition with everything that was left out. */
export function slotOf(name: string, definition: SlotDefinition): Slot {
  return typeof definition === "object"
    ? { name, initial: definition.initial, extent: definition.extent, isMetric: false }
    : { name, initial: definition, extent: "element", isMetric: false };
}

/** What the names in the texts of a rule mean. */
export interface TextScopes {
  readonly slots: readonly Slot[];
  readonly perElement: Scope;
  /** @param scalars the scalars that outlive the step's text */
  readonly perStep: (scalars: readonly string[]) => Scope;
}

/** The scopes of a rule's texts. */
export function scopesOf(texts: VariantTexts): TextScopes {
  const { hyperparameters, persistentScalars, metrics = {}, updated = "p" } = texts;
  const slots = [
    ...Object.entries(texts.slots).map(([name, slot]) => slotOf(name, slot)),
    ...Object.entries(metrics).map(([name, extent]) => ({
      name,
      initial: Number.NaN,
      extent,
      isMetric: true,
    })),
  ];
  const isPersistent = (name: string): boolean => Object.hasOwn(persistentScalars, name);
  const assignedPerStep = texts.perStep.flatMap(({ text, rename }) =>
    parse(text).map(({ name }) => rename?.(name) ?? name),
  );
  const arrays = new Map<string, Extent>([
    ["p", "element"],
    ...(updated === "p" && texts.isStage === true ? [] : [["g", "element"] as const]),
    ...(updated === "u" ? [["u", "element"] as const] : []),
    ...(texts.otherSlots ?? []).map((name) => [name, "element"] as const),
    ...slots.map(({ name, extent }) => [name, extent] as const),
  ]);
  return {
    slots,
    perElement: {
      arrays,
      scalars: new Set([
        ...hyperparameters,
        ...assignedPerStep.filter((name) => !isPersistent(name)),
      ]),
      isOutput: (name) => name === updated || slots.some((slot) => slot.name === name),
      onHost: false,
      unlisted: commonScalars,
      matrices: texts.matrices ?? "first",
    },
    perStep: (scalars) => ({
      arrays: new Map(Object.keys(persistentScalars).map((name) => [name, "element"])),
      scalars: [...hyperparameters, "t"],
      isOutput: (name) => isPersistent(name) || scalars.includes(name),
      onHost: true,
      unlisted: commonScalars,
    }),
  };
}

/** Builds a variant from texts that are known to be correct. @throws {SyntaxFault} */
export function assembleVariant(texts: VariantTexts, language: Language): Variant {
  const { rule, label, persistentScalars, matrices = "first" } = texts;
  const { slots, perElement: scope, perStep: stepScope } = scopesOf(texts);
  const perElement = buildProgram(texts.perElement, scope, language.resolveTensorOperation);
  const scalars = perElement.inputs
    .filter(({ node }) => perElement.nodes[node].extent === "step")
    .map(({ name }) => name);
  const perStep = buildProgram(texts.perStep, stepScope(scalars));
  const passPlan = language.planPasses(perElement, scope.arrays);
  const variant = { rule, label, slots, persistentScalars, perStep, perElement, matrices, scalars };
  const { evaluation = [], ...own } = texts;
  if (evaluation.length === 0) return { ...variant, passPlan };
  // It need not use every scalar of the step.
  const perStepOf = own.perStep.map((source) => ({ ...source, isCommon: true }));
  const evaluated = {
    ...own,
    label: `${label}, evaluation`,
    perStep: perStepOf,
    perElement: evaluation,
  };
  return { ...variant, passPlan, evaluation: assembleVariant(evaluated, language) };
}
