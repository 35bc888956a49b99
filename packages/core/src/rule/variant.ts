import { parse } from "../language/parse.js";
import { buildProgram, type Program } from "../language/program.js";
import { commonScalars } from "./common-statements.js";

/** A tensor of state per parameter, of the parameter's shape. */
export interface Slot {
  readonly name: string;
  /** The first value of all elements: a number, or the name of the hyperparameter that holds it. */
  readonly initial: number | string;
}

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
  /** Computed per element on the backend: from `p`, `g`, slots and scalars to `p` and slots. */
  readonly perElement: Program;
  /** The scalars that `perElement` reads, in the order in which a kernel receives them. */
  readonly scalars: readonly string[];
}

/** The texts and names from which a variant is built. */
export interface VariantTexts {
  readonly rule: string;
  readonly label: string;
  readonly hyperparameters: readonly string[];
  readonly slots: Readonly<Record<string, number | string>>;
  readonly persistentScalars: Readonly<Record<string, number>>;
  /** Texts that follow one another. The last is the rule's own. */
  readonly perStep: readonly string[];
  readonly perElement: readonly string[];
}

/** Builds a variant from texts that are known to be correct. @throws {SyntaxFault} */
export function assembleVariant(texts: VariantTexts): Variant {
  const { rule, label, hyperparameters, slots, persistentScalars } = texts;
  const isSlot = (name: string): boolean => Object.hasOwn(slots, name);
  const isPersistent = (name: string): boolean => Object.hasOwn(persistentScalars, name);

  const assignedPerStep = texts.perStep.flatMap(parse).map(({ name }) => name);
  const perElement = buildProgram(texts.perElement, {
    elements: ["p", "g", ...Object.keys(slots)],
    scalars: new Set([
      ...hyperparameters,
      ...assignedPerStep.filter((name) => !isPersistent(name)),
    ]),
    isOutput: (name) => name === "p" || isSlot(name),
    onHost: false,
    unlisted: commonScalars,
  });
  const scalars = perElement.inputs
    .filter(({ node }) => !perElement.nodes[node].varies)
    .map(({ name }) => name);
  const perStep = buildProgram(texts.perStep, {
    elements: Object.keys(persistentScalars),
    scalars: [...hyperparameters, "t"],
    isOutput: (name) => isPersistent(name) || scalars.includes(name),
    onHost: true,
    unlisted: commonScalars,
  });
  return {
    rule,
    label,
    slots: Object.entries(slots).map(([name, initial]) => ({ name, initial })),
    persistentScalars,
    perStep,
    perElement,
    scalars,
  };
}
