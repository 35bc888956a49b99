import type { Hyperparameter, Rule, SlotDefinition } from "@gradstep/core";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import { rulePartsOf, type RuleParts } from "./rule-text.js";

/**
 * The text of a rule, for `ruleFromText`, with the options of these settings chosen and their numbers as defaults.
 * A scheduled hyperparameter keeps the rule's default.
 */
export function ruleTextOf(rule: Rule, settings: Readonly<Record<string, SettingValue>>): string {
  const choices = Object.fromEntries(
    Object.entries(settings).filter(([name]) => Object.hasOwn(rule.options, name)),
  ) as Record<string, boolean | string>;
  for (const name of rule.structural)
    choices[name] = (settings[name] ?? rule.hyperparameters[name].default) !== 0;
  const texts = rule.texts(choices);
  const { slots, persistentScalars, metrics = {}, perStep, perElement, evaluation } = texts;
  const mode = choices.weightDecayMode ?? rule.options.weightDecayMode[0];
  const own = (sources: typeof perStep = []): readonly string[] =>
    sources
      .filter((source) => source.isCommon !== true)
      .flatMap(({ text }) => statementLines(text));
  const named = (table: object): readonly string[] =>
    Object.entries(table).map(([name, value]) => `${name} = ${value}`);
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [
      "hyperparameters",
      Object.entries(rule.hyperparameters).map(
        ([name, range]) => `${name} = ${describe(range, settings[name])}`,
      ),
    ],
    ["options", mode === "decoupled" ? [] : [`weightDecayMode = ${mode}`]],
    ["slots", Object.entries(slots).map(([name, slot]) => `${name} = ${describeSlot(slot)}`)],
    ["persistentScalars", named(persistentScalars)],
    ["metrics", named(metrics)],
    ["perStep", own(perStep)],
    ["perElement", own(perElement)],
    ["evaluation", own(evaluation)],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => `${name}:\n${lines.map((line) => `  ${line}\n`).join("")}`)
    .join("");
}

function statementLines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function describe(range: Hyperparameter, setting: SettingValue | undefined): string {
  const value = typeof setting === "number" ? setting : range.default;
  const bounds = (["min", "max", "below"] as const).filter((name) => range[name] !== undefined);
  return [value, ...bounds.map((name) => `${name} ${range[name]}`)].join(", ");
}

function describeSlot(slot: SlotDefinition): string {
  return typeof slot === "object" ? `${slot.initial} per ${slot.extent}` : String(slot);
}

/** The text of a rule as TypeScript, for a program of one's own. @throws {RuleTextError} */
export function ruleProgram(name: string, text: string): string {
  const { chosen, conditions, ...tables } = rulePartsOf(text);
  const { slots, perStep, perElement, evaluation } = chosen({});
  const identifier = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const property = (key: string, value: string): string => `  ${key}: ${value},`;
  const filled = (all: Readonly<Record<string, object>>): readonly string[] =>
    Object.entries(all)
      .filter(([, table]) => Object.keys(table).length > 0)
      .map(([key, table]) => property(key, literal(table)));
  const { hyperparameters, options, persistentScalars, metrics } = tables;
  const parts =
    conditions.length === 0
      ? [
          ...filled({ hyperparameters, options, slots, persistentScalars, metrics }),
          ...Object.entries({ perStep, perElement, evaluation })
            .filter(([, lines]) => lines.trim() !== "")
            .map(([key, lines]) => property(key, template(lines))),
        ]
      : [
          ...filled({ hyperparameters, options, persistentScalars, metrics }),
          ...chosenProperties(rulePartsOf(text)),
        ];
  return [
    'import { defineRule } from "gradstep";',
    "",
    `export const ${identifier} = defineRule({`,
    `  name: ${JSON.stringify(name)},`,
    ...parts,
    "});",
    "",
  ].join("\n");
}

/** The properties that depend on options, as functions of them: a case for each combination that makes a difference. */
function chosenProperties({ options, conditions, chosen }: RuleParts): readonly string[] {
  const names = [...new Set(conditions.map(({ condition }) => condition.option))];
  const cases = names.reduce<readonly Record<string, boolean | string>[]>(
    (all, name) => all.flatMap((one) => options[name].map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
  return (["slots", "perStep", "perElement", "evaluation"] as const).flatMap((key) => {
    const values = cases.map((choices) => {
      const part = chosen(choices)[key];
      return typeof part === "string" ? template(part) : literal(part);
    });
    if (values.every((value) => ["{}", "``"].includes(value))) return [];
    const [first] = values;
    if (values.every((value) => value === first)) return [`  ${key}: ${first},`];
    const tests = cases.map((choices) =>
      Object.entries(choices)
        .map(([name, value]) => `${name} === ${JSON.stringify(value)}`)
        .join(" && "),
    );
    const branches = values.map((value, i) =>
      i < values.length - 1 ? `\n    ${tests[i]} ? ${value} :` : ` ${value}`,
    );
    const object = key === "slots" ? `(${branches.join("")})` : branches.join("");
    return [`  ${key}: ({ ${names.join(", ")} }) =>${object},`];
  });
}

/** Lines of mathematics as a template literal. */
function template(lines: string): string {
  const statements = statementLines(lines).map((line) => `    ${line}\n`);
  return statements.length === 0 ? "``" : `\`\n${statements.join("")}  \``;
}

function literal(table: object): string {
  return JSON.stringify(table)
    .replaceAll(/"(\w+)":/g, "$1: ")
    .replaceAll(",", ", ")
    .replaceAll(/\{(?=\w)/g, "{ ")
    .replaceAll("}", " }");
}
