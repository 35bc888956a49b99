import type { Rule } from "@gradstep/core";
import { counterpartsOf, type Counterpart } from "@gradstep/core/interop";
import { libraries } from "../libraries.js";
import type { StageCounterpart } from "../stages/stage-counterpart.js";
import { code, styledTable, table } from "./markdown.js";

/** The settings that make a rule compute what a counterpart computes by default, apart from the rule's own defaults. */
export function settingsOf(
  { library, name }: Counterpart,
  rule: Rule,
): Readonly<Record<string, unknown>> {
  const { hyperparameters, options } = libraries[library].make(name);
  const own = rule.specify({});
  const isOther = ([key, value]: readonly [string, unknown]): boolean =>
    ({ ...own.hyperparameters, ...own.options })[key] !== value;
  return Object.fromEntries(Object.entries({ ...hyperparameters, ...options }).filter(isOther));
}

/** The optimizers of other libraries that compute a rule. @param factory the name of its function */
export function counterpartSection(rule: Rule, factory: string): string {
  const counterparts = counterpartsOf(rule.name);
  const missing = missingIn(counterparts);
  const rows = counterparts.map((one) => [
    libraries[one.library].title,
    code(one.name),
    code(`${factory}(${settingsText(settingsOf(one, rule))})`),
  ]);
  const names = counterparts.map((one) => [
    `${libraries[one.library].title} ${code(one.name)}`,
    Object.entries(one.settings)
      .filter(([, setting]) => Object.hasOwn({ ...rule.hyperparameters, ...rule.options }, setting))
      .map(([name, setting]) => `${code(name)} → ${code(setting)}`)
      .join(", "),
  ]);
  return [
    counterparts.length === 0
      ? "None of the libraries that gradstep reads has this rule."
      : table(["library", "optimizer", "the same with its defaults"], rows),
    counterparts.length === 0 ? "" : "Their arguments and those here:",
    counterparts.length === 0 ? "" : table(["optimizer", "arguments"], names),
    counterparts.length === 0 ? "" : missing,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** `Not in Keras or PyTorch.`; empty if all libraries have a counterpart. */
function missingIn(counterparts: readonly Pick<Counterpart, "library">[]): string {
  const missing = Object.entries(libraries)
    .filter(([library]) => counterparts.every((one) => one.library !== library))
    .map(([, { title }]) => title);
  if (missing.length === 0) return "";
  return `Not in ${new Intl.ListFormat("en", { type: "disjunction" }).format(missing)}.`;
}

/** What other libraries have for a stage or schedule, in a table with what makes it the same here. */
export function callTable(
  counterparts: readonly (Pick<StageCounterpart, "library" | "there" | "difference"> & {
    readonly here: string;
  })[],
): string {
  const rows = counterparts.map(({ library, there, here, difference = "" }) => [
    `${libraries[library].title}<br>${code(there)}`,
    difference === "" ? code(here) : `${code(here)}<br>${difference}`,
  ]);
  return [styledTable("calls", ["there", "the same here"], rows), missingIn(counterparts)]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** What the other libraries have for a stage. @param factory the name of its function */
export function stageCounterpartSection(
  counterparts: readonly StageCounterpart[],
  factory: string,
): string {
  if (counterparts.length === 0)
    return "Keras, PyTorch, Optax and TensorFlow.js do not have this stage.";
  return callTable(
    counterparts.map((one) => ({ ...one, here: `${factory}(${settingsText(one.settings)})` })),
  );
}

function settingsText(settings: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(settings);
  if (entries.length === 0) return "";
  return `{ ${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")} }`;
}
