import type { OptimizerSpec, Rule } from "@gradstep/core";
import {
  counterpartsOf,
  fromKeras,
  fromOptax,
  fromTfjs,
  fromTorch,
  type Counterpart,
} from "@gradstep/core/interop";
import { code, table } from "./markdown.js";

/** Names of the libraries, and what makes an optimizer of each. */
export const libraries = {
  keras: {
    title: "Keras",
    make: (name: string): OptimizerSpec => fromKeras({ class_name: name, config: {} }),
  },
  torch: { title: "PyTorch", make: (name: string): OptimizerSpec => fromTorch(name) },
  optax: { title: "Optax", make: (name: string): OptimizerSpec => fromOptax(name) },
  tfjs: {
    title: "TensorFlow.js",
    make: (name: string): OptimizerSpec =>
      fromTfjs(name, name === "momentum" ? { momentum: 0.9 } : {}),
  },
} as const;

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
  const missing = Object.entries(libraries)
    .filter(([library]) => counterparts.every((one) => one.library !== library))
    .map(([, { title }]) => title);
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
    missing.length === 0 || counterparts.length === 0
      ? ""
      : `Not in ${new Intl.ListFormat("en", { type: "disjunction" }).format(missing)}.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function settingsText(settings: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(settings);
  if (entries.length === 0) return "";
  return `{ ${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")} }`;
}
