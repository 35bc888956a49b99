import { didYouMean } from "../argument-checks/did-you-mean.js";
import { GradstepError, list, show } from "../errors.js";
import { hasNames } from "../argument-checks/has-names.js";
import { isArray } from "../argument-checks/is-array.js";
import { checkHyperparameter, type Hyperparameter } from "./hyperparameter.js";
import { isUsableName } from "./build-variant.js";
import { commonHyperparameters, commonOptions } from "./common-statements.js";
import { sparseOptionNames } from "./sparse-options.js";
import { stepControlNames } from "./step-control-options.js";

/** Names of properties that optimizers and groups have, and of the options of all rules, optimizers and groups. */
const propertyNames: readonly string[] = [
  "groups",
  "iterations",
  "microSteps",
  "skippedSteps",
  "lossScaleTensor",
  "parameters",
  "step",
  "encode",
  "gradient",
  "rows",
  "add",
  "remove",
  "state",
  "restore",
  "reset",
  "encodeReset",
  "fillCopies",
  "encodeFillCopies",
  "config",
  "metrics",
  "explain",
  "swap",
  "isSwapped",
  "dispose",
  "match",
  "rule",
  "every",
  "frozen",
  "copies",
  "activatedGradients",
  "slots",
  "rowCounts",
  ...stepControlNames,
  ...sparseOptionNames,
  ...Object.keys(commonOptions),
];

/** The keys of a definition. */
const definitionKeys = [
  "name",
  "hyperparameters",
  "options",
  "structural",
  "slots",
  "persistentScalars",
  "matrices",
  "metrics",
  "perStep",
  "perElement",
  "evaluation",
];

const ruleName = /^(?:[A-Za-z_]\w*|[a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;

const rangeKeys = ["default", "min", "max", "below"];

function invalid(message: string): never {
  throw new GradstepError(message, { code: "INVALID_RULE" });
}

/**
 * Checks that a value is the definition of a rule or of a stage, whose names and ranges can be used together. Its texts are
 * checked when they are parsed.
 * @throws {GradstepError} `INVALID_RULE`, `INVALID_HYPERPARAMETER` (a default outside its range)
 */
export function checkDefinition(definition: object, isStage = false): void {
  if (!hasNames(definition))
    invalid(`Got ${show(definition)}; expected the definition of a ${isStage ? "stage" : "rule"}.`);
  const known = isStage
    ? [...definitionKeys.filter((key) => key !== "structural"), "reads", "needsNames"]
    : definitionKeys;
  for (const key of Object.keys(definition)) {
    if (!known.includes(key))
      invalid(
        `A ${isStage ? "stage" : "rule"} has no "${key}"; it has ${list(known)}.${didYouMean(key, known)}`,
      );
  }
  checkReads(definition.reads);
  const {
    name,
    hyperparameters = isStage ? {} : undefined,
    options = {},
    structural = [],
  } = definition;
  if (!hasNames(hyperparameters) || !hasNames(options)) {
    invalid(
      `A rule's hyperparameters are ${show(hyperparameters)}, its options ${show(options)}; expected objects, by name.`,
    );
  }
  checkParts({ name, hyperparameters, options, structural } as DefinitionParts);
  if (!isStage && !Object.hasOwn(hyperparameters, "learningRate"))
    invalid(`Rule ${String(name)} has no hyperparameter learningRate; every rule needs one.`);
}

function checkReads(reads: unknown = {}): void {
  const isName = (name: unknown): boolean => typeof name === "string" && isUsableName(name);
  const isExpected = ([key, names]: readonly [string, unknown]): boolean =>
    (key === "slots" || key === "hyperparameters") && isArray(names) && names.every(isName);
  if (!hasNames(reads) || !Object.entries(reads as object).every(isExpected))
    invalid(
      `A stage's reads is ${show(reads)}; expected lists of names, such as { slots: ["v"], hyperparameters: ["beta2"] }.`,
    );
}

interface DefinitionParts {
  readonly name: unknown;
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: Readonly<Record<string, readonly unknown[]>>;
  readonly structural: readonly string[];
}

function checkParts({ name, hyperparameters, options, structural }: DefinitionParts): void {
  if (typeof name !== "string" || !ruleName.test(name)) {
    return invalid(
      `A rule is named ${show(name)}; expected an identifier, such as "plainAdam", or lower-case words joined by "-", such as "plain-adam".`,
    );
  }
  for (const [key, range] of Object.entries(hyperparameters)) {
    if (!isUsableName(key) || propertyNames.includes(key))
      invalid(
        `Rule ${name}: hyperparameter ${show(key)} cannot be used as a name; expected an identifier that optimizers do not use.`,
      );
    if (!hasNames(range)) {
      invalid(
        `Rule ${name}: ${key} is ${show(range)}; expected a default and a range, such as nonNegative(0.001).`,
      );
    }
    for (const [bound, value] of Object.entries<unknown>(range)) {
      if (!rangeKeys.includes(bound))
        invalid(`Rule ${name}: ${key} has no "${bound}"; it has ${list(rangeKeys)}.`);
      const isNumber = typeof value === "number" && !Number.isNaN(value);
      if (bound !== "default" && value !== undefined && !isNumber)
        invalid(`Rule ${name}: ${bound} of ${key} is ${show(value)}; expected a number.`);
    }
    checkHyperparameter(`Rule ${name}`, key, range.default, range);
    if (Object.hasOwn(options, key))
      invalid(`Rule ${name}: "${key}" is both a hyperparameter and an option.`);
  }
  for (const [key, values] of Object.entries(options)) {
    const isCommon = Object.hasOwn(commonOptions, key) || Object.hasOwn(commonHyperparameters, key);
    if (isCommon && key !== "weightDecayMode")
      invalid(`Rule ${name}: every rule has "${key}" already; choose another name for the option.`);
    const isChoice = (value: unknown): boolean =>
      typeof value === "boolean" || typeof value === "string";
    if (!isArray(values) || values.length === 0 || !values.every(isChoice)) {
      invalid(
        `Rule ${name}: option ${key} is ${show(values)}; expected a list of booleans or strings, the default first.`,
      );
    }
  }
  if (!isArray(structural))
    invalid(`Rule ${name}: structural is ${show(structural)}; expected a list of hyperparameters.`);
  for (const key of structural) {
    if (typeof key !== "string" || !Object.hasOwn(hyperparameters, key))
      invalid(
        `Rule ${name}: structural hyperparameter ${show(key)} is not one of its hyperparameters.`,
      );
  }
}
