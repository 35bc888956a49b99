import type { Extent } from "../language/extent.js";
import { parse } from "../language/parse.js";
import { scheduleOf, type Schedule } from "../language/passes.js";
import { buildProgram, type Program, type Source } from "../language/program.js";
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
  readonly schedule: Schedule;
  readonly matrices: Matrices;
  /** The scalars that `perElement` reads, in the order in which a kernel receives them. */
  readonly scalars: readonly string[];
}

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
  /** Texts that follow one another. */
  readonly perStep: readonly Source[];
  readonly perElement: readonly Source[];
}

/** A slot of a definition with everything that was left out. */
export function slotOf(name: string, definition: SlotDefinition): Slot {
  return typeof definition === "object"
    ? { name, initial: definition.initial, extent: definition.extent }
    : { name, initial: definition, extent: "element" };
}

/** Builds a variant from texts that are known to be correct. @throws {SyntaxFault} */
export function assembleVariant(texts: VariantTexts): Variant {
  const { rule, label, hyperparameters, persistentScalars, matrices = "first" } = texts;
  const slots = Object.entries(texts.slots).map(([name, slot]) => slotOf(name, slot));
  const isPersistent = (name: string): boolean => Object.hasOwn(persistentScalars, name);
  const arrays = new Map<string, Extent>([
    ["p", "element"],
    ["g", "element"],
    ...slots.map(({ name, extent }) => [name, extent] as const),
  ]);

  const assignedPerStep = texts.perStep.flatMap(({ text, rename }) =>
    parse(text).map(({ name }) => rename?.(name) ?? name),
  );
  const perElement = buildProgram(texts.perElement, {
    arrays,
    scalars: new Set([
      ...hyperparameters,
      ...assignedPerStep.filter((name) => !isPersistent(name)),
    ]),
    isOutput: (name) => name !== "g" && arrays.has(name),
    onHost: false,
    unlisted: commonScalars,
    matrices,
  });
  const scalars = perElement.inputs
    .filter(({ node }) => perElement.nodes[node].extent === "step")
    .map(({ name }) => name);
  const perStep = buildProgram(texts.perStep, {
    arrays: new Map(Object.keys(persistentScalars).map((name) => [name, "element"])),
    scalars: [...hyperparameters, "t"],
    isOutput: (name) => isPersistent(name) || scalars.includes(name),
    onHost: true,
    unlisted: commonScalars,
  });
  const schedule = scheduleOf(perElement, arrays);
  return {
    rule,
    label,
    slots,
    persistentScalars,
    perStep,
    perElement,
    schedule,
    matrices,
    scalars,
  };
}
