import type { Rule } from "@gradstep/core";
import { meaningOf, optionMeaningOf } from "../../controls/hyperparameter-meanings.js";
import { printSymbol, symbolOf } from "../mathematics/symbols.js";
import { escaped } from "../documentation.js";
import { changedFormulas } from "./formulas.js";
import { code, inlineFormula, styledTable } from "./markdown.js";

type ValueRange = Rule["hyperparameters"][string];

/** What values a hyperparameter may have. */
export function rangeText({ min, max, below }: ValueRange): string {
  const bounds = [
    ...(min === undefined ? [] : [`≥\u00a0${min}`]),
    ...(max === undefined ? [] : [`≤\u00a0${max}`]),
    ...(below === undefined ? [] : [`&lt;\u00a0${below}`]),
  ];
  return bounds.length === 0 ? "any finite number" : bounds.join(", ");
}

/** The hyperparameters of a rule or stage; empty if it has none. */
export function hyperparameterTable(rule: Rule): string {
  const entries = Object.entries(rule.hyperparameters);
  if (entries.length === 0) return "";
  // The rule's own first.
  const sorted = [
    ...entries.filter(([name]) => name !== "weightDecay"),
    ...entries.filter(([name]) => name === "weightDecay"),
  ];
  return styledTable(
    "arguments",
    ["argument", "meaning", "default", "values"],
    sorted.map(([name, range]) => [
      `${code(name)} ${inlineFormula(printSymbol(symbolOf(name)))}`,
      escaped(meaningOf(name, rule.name)?.text ?? ""),
      code(range.default),
      rangeText(range),
    ]),
  );
}

/** Options that all rules have, described once for all. */
const common = new Set(["weightDecayMode", "maximize"]);

/** Options and structural hyperparameters: their values, and the formulas that each changes. */
export function optionSections(rule: Rule): readonly string[] {
  const own = Object.entries(rule.options).filter(
    ([name, values]) => !common.has(name) || (name === "weightDecayMode" && values.length > 2),
  );
  const structural = rule.structural.map((name) => [name, [false, true]] as const);
  return [...own, ...structural].map(([name, values]) => {
    const isStructural = rule.structural.includes(name);
    const meaning = isStructural
      ? "Selects other formulas if it is not 0 when the optimizer is made."
      : (optionMeaningOf(name) ?? "");
    const [first, ...others] = values;
    const alternatives = isStructural ? "" : `Default ${code(JSON.stringify(first))}.`;
    const changes = others.map((value) => {
      const { text, condition } = changedFormulas(rule, { [name]: value });
      const call = isStructural
        ? `${code(name)} above 0`
        : code(`${name}: ${JSON.stringify(value)}`);
      const conditions = Object.entries(condition).map(([key, one]) =>
        rule.structural.includes(key)
          ? `${code(key)} above 0`
          : code(`${key}: ${JSON.stringify(one)}`),
      );
      const suffix = conditions.length === 0 ? "" : `, with ${conditions.join(" and ")}`;
      return text === "" ? `${call} changes no formula.` : `${call}${suffix} changes:\n\n${text}`;
    });
    const intro = [escaped(meaning), alternatives].filter((one) => one !== "").join(" ");
    return [`### \`${name}\``, intro, ...changes].join("\n\n");
  });
}
