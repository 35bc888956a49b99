import { GradstepError, show } from "./errors.js";
import { operations, parse } from "./parse.js";
import { buildProgram, type Program } from "./program.js";

/** A tensor of state beside each parameter, of the parameter's shape. */
export interface Slot {
  readonly name: string;
  /** What it is filled with at first: a number, or the name of the hyperparameter that says. */
  readonly initial: number | string;
}

/**
 * A rule with its options chosen: all that a backend compiles and an optimizer needs. Equal choices give the same
 * object, and hyperparameters are not part of it: changing them recompiles nothing.
 */
export interface Variant {
  /** Name of the rule. */
  readonly rule: string;
  /** Name of the rule and the choices that differ from the defaults: `adam amsgrad`. */
  readonly label: string;
  readonly slots: readonly Slot[];
  /** Scalars that one step hands to the next, and their values before the first. */
  readonly carry: Readonly<Record<string, number>>;
  /** Computed once a step on the host, in f64: from hyperparameters, `t` and the carry to scalars and the next carry. */
  readonly perStep: Program;
  /** Computed for every element on the backend: from `p`, `g`, slots and scalars to `p` and slots. */
  readonly perElement: Program;
  /** The scalars that `perElement` reads, in the order in which a kernel receives them. */
  readonly scalars: readonly string[];
}

/** The texts and names from which a variant is made. */
export interface VariantTexts {
  readonly rule: string;
  readonly label: string;
  readonly hyperparameters: readonly string[];
  readonly slots: Readonly<Record<string, number | string>>;
  readonly carry: Readonly<Record<string, number>>;
  readonly perStep: string;
  readonly perElement: string;
}

/**
 * Parses, checks and shares sub-expressions, once.
 *
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE`
 */
export function buildVariant(texts: VariantTexts): Variant {
  const { rule, label, hyperparameters, slots, carry } = texts;
  const reserved = ["p", "g", "t", ...hyperparameters];
  for (const name of [...Object.keys(slots), ...Object.keys(carry)]) {
    if (!/^[A-Za-z_]\w*$/.test(name) || operations.has(name)) {
      throw new GradstepError(
        `Rule ${rule}: ${show(name)} cannot be the name of a slot or carry.`,
        { code: "INVALID_RULE" },
      );
    }
    if (reserved.includes(name) || (name in slots && name in carry)) {
      throw new GradstepError(
        `Rule ${rule}: "${name}" is named twice; give each slot, carry and hyperparameter a name of its own.`,
        {
          code: "INVALID_RULE",
        },
      );
    }
  }
  for (const [slot, initial] of Object.entries(slots)) {
    if (
      typeof initial === "string" ? !hyperparameters.includes(initial) : !Number.isFinite(initial)
    ) {
      throw new GradstepError(
        `Rule ${rule}: slot ${slot} starts at ${show(initial)}; expected a finite number or the name of a hyperparameter.`,
        { code: "INVALID_RULE" },
      );
    }
  }

  const assignedPerStep = parse(texts.perStep).map(({ name }) => name);
  const perElement = buildProgram(texts.perElement, {
    elements: ["p", "g", ...Object.keys(slots)],
    scalars: new Set([...hyperparameters, ...assignedPerStep.filter((name) => !(name in carry))]),
    isOutput: (name) => name === "p" || name in slots,
    onHost: false,
  });
  if (!perElement.outputs.some(({ name }) => name === "p")) {
    throw new GradstepError(
      `Rule ${rule}: perElement never assigns to p; expected one line "p = …".`,
      { code: "INVALID_RULE" },
    );
  }

  const scalars = perElement.inputs
    .filter(({ node }) => !perElement.nodes[node].varies)
    .map(({ name }) => name);
  const perStep = buildProgram(texts.perStep, {
    elements: Object.keys(carry),
    scalars: [...hyperparameters, "t"],
    isOutput: (name) => name in carry || scalars.includes(name),
    onHost: true,
  });
  return {
    rule,
    label,
    slots: Object.entries(slots).map(([name, initial]) => ({ name, initial })),
    carry,
    perStep,
    perElement,
    scalars,
  };
}
