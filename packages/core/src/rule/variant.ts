import { GradstepError, show } from "../errors.js";
import { operations, parse } from "../language/parse.js";
import { buildProgram, type Program } from "../language/program.js";

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
  readonly persistentScalars: Readonly<Record<string, number>>;
  /** Computed once a step on the host, in f64: from hyperparameters, `t` and the persistent scalars to scalars and their next values. */
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
  readonly persistentScalars: Readonly<Record<string, number>>;
  /** The last is the rule's own; what all rules share stands before it. */
  readonly perStep: readonly string[];
  readonly perElement: readonly string[];
}

/** Names with a meaning in every rule: the parameter, the gradient, the step, and the scalars that all rules share. */
const reservedNames: readonly string[] = ["p", "g", "t", "decay", "direction", "l2"];

/** Whether a slot, a persistent scalar or a hyperparameter can have this name. */
export function isUsableName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !operations.has(name) && !reservedNames.includes(name);
}

/**
 * Parses, checks and shares sub-expressions, once.
 *
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE`
 */
export function buildVariant(texts: VariantTexts): Variant {
  const { rule, label, hyperparameters, slots, persistentScalars } = texts;
  checkNames(texts);
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
  });
  const scalars = perElement.inputs
    .filter(({ node }) => !perElement.nodes[node].varies)
    .map(({ name }) => name);
  const perStep = buildProgram(texts.perStep, {
    elements: Object.keys(persistentScalars),
    scalars: [...hyperparameters, "t"],
    isOutput: (name) => isPersistent(name) || scalars.includes(name),
    onHost: true,
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

/** @throws {GradstepError} `INVALID_RULE`, `RULE_SYNTAX` */
function checkNames({
  rule,
  hyperparameters,
  slots,
  persistentScalars,
  perStep,
  perElement,
}: VariantTexts): void {
  const fail = (message: string): never => {
    throw new GradstepError(`Rule ${rule}: ${message}`, { code: "INVALID_RULE" });
  };
  const isTable = (table: unknown): boolean =>
    table !== null && typeof table === "object" && !Array.isArray(table);
  if (!isTable(slots) || !isTable(persistentScalars))
    fail(
      `slots is ${show(slots)}, persistentScalars is ${show(persistentScalars)}; expected objects of first values.`,
    );
  for (const [key, texts] of Object.entries({ perStep, perElement })) {
    const text: unknown = texts.at(-1);
    if (typeof text !== "string")
      fail(`${key} is ${show(text)}; expected text, or a function of the options that returns it.`);
  }
  const taken = new Set(hyperparameters);
  for (const name of [...Object.keys(slots), ...Object.keys(persistentScalars)]) {
    if (!isUsableName(name))
      fail(`${show(name)} cannot be the name of a slot or persistent scalar.`);
    if (taken.has(name))
      fail(
        `"${name}" has a meaning already; give each slot, persistent scalar and hyperparameter a name of its own.`,
      );
    taken.add(name);
  }
  for (const [slot, initial] of Object.entries(slots)) {
    const known =
      typeof initial === "string" ? hyperparameters.includes(initial) : Number.isFinite(initial);
    if (!known)
      fail(
        `slot ${slot} starts at ${show(initial)}; expected a finite number or the name of a hyperparameter.`,
      );
  }
  for (const [name, initial] of Object.entries(persistentScalars)) {
    if (!Number.isFinite(initial))
      fail(`persistent scalar ${name} starts at ${show(initial)}; expected a finite number.`);
  }
  // What stands in front of a rule's own text computes with these: a second meaning would change it in silence.
  const own = parse(perStep.at(-1)!).map(({ name }) => name);
  const clash = own.find((name) => [...reservedNames, ...Object.keys(slots)].includes(name));
  if (clash !== undefined)
    fail(`perStep assigns to "${clash}", which has a meaning already; choose another name.`);
  if (!parse(perElement.at(-1)!).some(({ name }) => name === "p"))
    fail('perElement never assigns to p; expected one line "p = …".');
}
