import { GradstepError, show } from "../errors.js";
import { operations, parse } from "../language/parse.js";
import { explained } from "../language/syntax-errors.js";
import { commonScalars } from "./common-statements.js";
import { assembleVariant, type Variant, type VariantTexts } from "./variant.js";

/** Names with a meaning in every rule: the parameter, the gradient, the step, and the scalars of all rules. */
const reservedNames: readonly string[] = ["p", "g", "t", ...commonScalars];

/** Whether a slot, a persistent scalar or a hyperparameter can have this name. */
export function isUsableName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !operations.has(name) && !reservedNames.includes(name);
}

/**
 * Builds a variant and checks its texts and names.
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE`
 */
export function buildVariant(texts: VariantTexts): Variant {
  return explained(() => {
    checkNames(texts);
    return assembleVariant(texts);
  });
}

function fail(rule: string, message: string): never {
  throw new GradstepError(`Rule ${rule}: ${message}`, { code: "INVALID_RULE" });
}

function checkNames(texts: VariantTexts): void {
  const { rule, hyperparameters, slots, persistentScalars } = texts;
  const isTable = (table: unknown): boolean =>
    table !== null && typeof table === "object" && !Array.isArray(table);
  if (!isTable(slots) || !isTable(persistentScalars)) {
    fail(
      rule,
      `slots is ${show(slots)}, persistentScalars is ${show(persistentScalars)}; expected objects of first values.`,
    );
  }
  for (const key of ["perStep", "perElement"] as const) {
    const text: unknown = texts[key].at(-1);
    if (typeof text !== "string")
      fail(
        rule,
        `${key} is ${show(text)}; expected text, or a function of the options that returns it.`,
      );
  }
  const taken = new Set(hyperparameters);
  for (const name of [...Object.keys(slots), ...Object.keys(persistentScalars)]) {
    if (!isUsableName(name))
      fail(rule, `${show(name)} cannot be the name of a slot or persistent scalar.`);
    if (taken.has(name))
      fail(rule, `"${name}" is defined twice; choose another name for one of the two.`);
    taken.add(name);
  }
  for (const [slot, initial] of Object.entries(slots)) {
    const isKnown =
      typeof initial === "string" ? hyperparameters.includes(initial) : Number.isFinite(initial);
    if (!isKnown)
      fail(
        rule,
        `slot ${slot} starts at ${show(initial)}; expected a finite number or the name of a hyperparameter.`,
      );
  }
  for (const [name, initial] of Object.entries(persistentScalars)) {
    if (!Number.isFinite(initial))
      fail(rule, `persistent scalar ${name} starts at ${show(initial)}; expected a finite number.`);
  }
  // The common statements compute with these: another meaning would change them silently.
  const assigned = parse(texts.perStep.at(-1)!).map(({ name }) => name);
  const clash = assigned.find((name) => [...reservedNames, ...Object.keys(slots)].includes(name));
  if (clash !== undefined)
    fail(rule, `perStep assigns to "${clash}", which has a meaning already; choose another name.`);
  if (!parse(texts.perElement.at(-1)!).some(({ name }) => name === "p"))
    fail(rule, 'perElement never assigns to p; expected a statement "p = …".');
}

/** Checks that no slot is useless, since each costs memory per parameter. @throws {GradstepError} `INVALID_RULE` */
export function checkSlotsAreUsed({ rule, slots, perElement }: VariantTexts): void {
  const words = new Set(
    perElement
      .at(-1)!
      .replaceAll(/\/\/.*/g, "")
      .match(/[A-Za-z_]\w*/g),
  );
  const unused = Object.keys(slots).find((slot) => !words.has(slot));
  if (unused !== undefined)
    fail(rule, `slot ${unused} is never used in perElement; use it, or remove it from slots.`);
}
