import { GradstepError, list, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import { tensorLanguage } from "../language/tensor-language.js";
import { functionNames } from "../language/functions.js";
import { parse } from "../language/parse.js";
import { explained } from "../language/syntax-errors.js";
import type { Source } from "../language/build-program.js";
import { commonScalars } from "./common-statements.js";
import { assembleVariant, slotOf, type Variant, type VariantTexts } from "./variant.js";

/** Names with a meaning in every rule: the parameter, the gradient, the update, the step, and the scalars of all rules. */
const reservedNames: readonly string[] = ["p", "g", "u", "t", ...commonScalars];

/** Whether a slot, a persistent scalar or a hyperparameter can have this name. */
export function isUsableName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !functionNames.has(name) && !reservedNames.includes(name);
}

/**
 * Builds a variant and checks its texts and names.
 * @throws {GradstepError} `RULE_SYNTAX`, `INVALID_RULE`
 */
export function buildVariant(texts: VariantTexts): Variant {
  return explained(() => {
    checkTexts(texts);
    const variant = assembleVariant(texts, tensorLanguage);
    if (variant.evaluation !== undefined) checkEvaluation(texts, variant.evaluation);
    return variant;
  });
}

function fail(rule: string, message: string): never {
  throw new GradstepError(`Rule ${rule}: ${message}`, { code: "INVALID_RULE" });
}

/** Checks what a rule or stage defines, and the names in its texts. @throws {GradstepError} `INVALID_RULE` */
function checkTexts(texts: VariantTexts): void {
  if (!hasNames(texts))
    throw new GradstepError(
      `buildVariant: got ${show(texts)}; expected texts, such as adam.texts().`,
      {
        code: "INVALID_RULE",
      },
    );
  const { rule, hyperparameters, slots, persistentScalars, metrics = {} } = texts;
  if (!hasNames(slots) || !hasNames(persistentScalars)) {
    fail(
      rule,
      `slots is ${show(slots)}, persistentScalars is ${show(persistentScalars)}; expected objects of first values.`,
    );
  }
  if (!hasNames(metrics))
    fail(
      rule,
      `metrics is ${show(metrics)}; expected an object of extents, such as { norm: "all" }.`,
    );
  for (const key of ["perStep", "perElement", "evaluation"] as const) {
    const sources = texts[key] ?? [];
    if (sources.length === 0) continue;
    const text: unknown = ownTextOf(sources);
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
  for (const [name, definition] of Object.entries(slots))
    checkSlot(rule, name, definition, hyperparameters);
  for (const [name, extent] of Object.entries(metrics)) {
    if (!isUsableName(name) || taken.has(name))
      fail(rule, `${show(name)} cannot be the name of a metric; choose another one.`);
    taken.add(name);
    if (extent !== "all" && extent !== "tensor")
      fail(rule, `metric ${name} has the extent ${show(extent)}; expected "all" or "tensor".`);
    if (!parse(ownTextOf(texts.perElement)).some((one) => one.name === name))
      fail(rule, `perElement never assigns to the metric ${name}.`);
  }
  for (const [name, initial] of Object.entries(persistentScalars)) {
    if (!Number.isFinite(initial))
      fail(rule, `persistent scalar ${name} starts at ${show(initial)}; expected a finite number.`);
  }
  // The common statements compute with these: another meaning would change them silently.
  const assigned = parse(ownTextOf(texts.perStep)).map(({ name }) => name);
  const clash = assigned.find((name) => [...reservedNames, ...Object.keys(slots)].includes(name));
  if (clash !== undefined)
    fail(rule, `perStep assigns to "${clash}", which has a meaning already; choose another name.`);
  const isUpdate = (name: string): boolean => name === "p" || name === "u";
  const updates = parse(ownTextOf(texts.perElement)).some(({ name }) => isUpdate(name));
  if (texts.isStage !== true && !updates)
    fail(rule, 'perElement assigns neither u nor p; expected a statement "u = …".');
}

/** Checks that what evaluation reads is the same after a step as in it. @throws {GradstepError} `INVALID_RULE` */
function checkEvaluation(
  { rule, persistentScalars }: VariantTexts,
  { perStep, scalars }: Variant,
): void {
  const depends = (node: number): boolean => {
    const { op, name, operands } = perStep.nodes[node];
    return op === "input" ? Object.hasOwn(persistentScalars, name) : operands.some(depends);
  };
  const later = perStep.outputs.find(({ name, node }) => scalars.includes(name) && depends(node));
  if (later !== undefined)
    fail(
      rule,
      `evaluation reads ${later.name}, which depends on a persistent scalar, and so has another value after the step; keep what it needs in a slot.`,
    );
}

/** The rule's own text among those of all rules. */
function ownTextOf(sources: readonly Source[]): string {
  return sources.find(({ isCommon }) => isCommon !== true)!.text;
}

const slotExtents: readonly unknown[] = ["element", "row", "column", "tensor", "all"];

/** @throws {GradstepError} `INVALID_RULE` */
function checkSlot(
  rule: string,
  name: string,
  definition: VariantTexts["slots"][string],
  hyperparameters: readonly string[],
): void {
  if (definition === null) fail(rule, `slot ${name} is null; expected its first value.`);
  const { initial, extent } = slotOf(name, definition);
  if (!slotExtents.includes(extent))
    fail(
      rule,
      `slot ${name} has the extent ${show(extent)}; expected one of ${list(slotExtents as string[])}.`,
    );
  if (initial === "p" && extent !== "element")
    fail(
      rule,
      `slot ${name} starts as a copy of p, which has one value per element; expected the extent element.`,
    );
  const isKnown =
    typeof initial === "string"
      ? initial === "p" || hyperparameters.includes(initial)
      : Number.isFinite(initial);
  if (!isKnown)
    fail(
      rule,
      `slot ${name} starts at ${show(initial)}; expected a finite number, the name of a hyperparameter, or "p".`,
    );
}

/** Checks that no slot is useless, since each costs memory per parameter. @throws {GradstepError} `INVALID_RULE` */
export function checkSlotsAreUsed({ rule, slots, perElement }: VariantTexts): void {
  const words = new Set(
    ownTextOf(perElement)
      .replaceAll(/\/\/.*/g, "")
      .match(/[A-Za-z_]\w*/g),
  );
  const unused = Object.keys(slots).find((slot) => !words.has(slot));
  if (unused !== undefined)
    fail(rule, `slot ${unused} is never used in perElement; use it, or remove it from slots.`);
}
