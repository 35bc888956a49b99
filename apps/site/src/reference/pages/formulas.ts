import type { Expression, Rule } from "@gradstep/core";
import {
  aligned,
  printStatements,
  type PrintedStatement,
} from "../mathematics/print-statements.js";
import { numberOf } from "../mathematics/expressions.js";
import { mathematicsOf, type Mathematics } from "../mathematics/statements.js";
import { writtenMathematics } from "../mathematics/written-mathematics.js";
import { formula, table } from "./markdown.js";

type Choices = Readonly<Record<string, boolean | string>>;

/** What formulas are wanted. */
interface FormulaOptions {
  /** `evaluation`: those of the weights to evaluate with. */
  readonly kind?: "step" | "evaluation";
  /** Whether weight decay is shown that is 0 by default. */
  readonly hasDecay?: boolean;
}

function mathematics(
  rule: Rule,
  choices: Choices,
  { kind, hasDecay = false }: FormulaOptions = {},
): Mathematics {
  const isWithoutDecay =
    !hasDecay &&
    rule.hyperparameters.weightDecay?.default === 0 &&
    (choices.weightDecayMode === undefined ||
      choices.weightDecayMode === rule.options.weightDecayMode[0]);
  return writtenMathematics(
    mathematicsOf(rule.texts(choices), kind),
    new Set(isWithoutDecay ? ["weightDecay"] : []),
  );
}

/** The formulas of a rule or stage with these choices. */
export function formulas(rule: Rule, choices: Choices = {}, options: FormulaOptions = {}): string {
  const written = mathematics(rule, choices, options);
  const printed = printStatements(written);
  return [blocks(printed), coefficients(written)].filter((one) => one !== "").join("\n\n");
}

/** The formula of the weights to evaluate with; empty for rules whose parameters are these. */
export function evaluationFormulas(rule: Rule): string {
  const texts = rule.texts();
  if ((texts.evaluation ?? []).length === 0) return "";
  const printed = printStatements(mathematics(rule, {}, { kind: "evaluation" }));
  // What the step computes once has been said.
  return blocks(printed.filter(({ per }) => per === "element"));
}

function blocks(printed: readonly PrintedStatement[]): string {
  const perStep = printed.filter(({ per }) => per === "step");
  const perElement = printed.filter(({ per }) => per === "element");
  if (perStep.length === 0) return formula(aligned(perElement), "Formulas for each element");
  return [
    "Once per step:",
    formula(aligned(perStep), "Formulas once per step"),
    "For each element:",
    formula(aligned(perElement), "Formulas for each element"),
  ].join("\n\n");
}

/** Coefficients that differ from iteration to iteration. */
function coefficients({ statements }: Mathematics): string {
  const repeated = statements.find(({ repeats }) => (repeats?.values.size ?? 0) > 0);
  if (repeated?.repeats === undefined) return "";
  const { values } = repeated.repeats;
  const columns = [...values.values()];
  const rows = columns[0].map((_, i) => [String(i + 1), ...columns.map((one) => decimal(one[i]))]);
  return table(["$i$", "$a_i$", "$b_i$", "$c_i$"], rows);
}

/** A coefficient to six digits. */
function decimal(expression: Expression): string {
  return String(Number(numberOf(expression).toPrecision(6))).replace("-", "−");
}

/** What a choice changes. */
export interface ChangedFormulas {
  /** The formulas that it changes; empty if it changes none. */
  readonly text: string;
  /** The other choice without which it changes nothing. */
  readonly condition: Choices;
}

/** The formulas that a choice changes, by itself or together with another one. */
export function changedFormulas(rule: Rule, choice: Choices): ChangedFormulas {
  const others: Choices[] = [
    {},
    ...Object.entries(rule.options)
      .filter(([name]) => !Object.hasOwn(choice, name) && name !== "maximize")
      .flatMap(([name, values]) => values.slice(1).map((value) => ({ [name]: value }))),
    ...rule.structural
      .filter((name) => !Object.hasOwn(choice, name))
      .map((name) => ({ [name]: true })),
  ];
  for (const condition of others) {
    const [before, after] = [condition, { ...condition, ...choice }].map((choices) =>
      mathematics(rule, choices),
    );
    const known = new Set(printStatements(before).map(keyOf));
    const changed = printStatements(after).filter((one) => !known.has(keyOf(one)));
    const isRemoved = changed.length === 0 && printStatements(after).length < known.size;
    if (changed.length === 0 && !isRemoved) continue;
    const printed = isRemoved ? printStatements(after) : changed;
    const text = [
      formula(aligned(printed), "Changed formulas"),
      coefficients(after) === coefficients(before) ? "" : coefficients(after),
    ];
    return { text: text.filter((one) => one !== "").join("\n\n"), condition };
  }
  return { text: "", condition: {} };
}

function keyOf({ target, value, note }: PrintedStatement): string {
  return `${target} ${value} ${note}`;
}
