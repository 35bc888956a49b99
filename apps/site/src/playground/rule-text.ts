import {
  defineRule,
  GradstepError,
  type Hyperparameter,
  type Rule,
  type SlotDefinition,
  type SlotExtent,
} from "@gradstep/core";

/** What is wrong with the text of a rule, and where. */
export class RuleTextError extends Error {
  override readonly name = "RuleTextError";
  /** 1 for the first line. */
  readonly line: number;
  /** 1 for the first character. */
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** The sections of a text, named as the properties of `defineRule`'s argument. */
const sectionNames = [
  "hyperparameters",
  "options",
  "slots",
  "persistentScalars",
  "metrics",
  "perStep",
  "perElement",
  "evaluation",
] as const;

type SectionName = (typeof sectionNames)[number];

/** A line of a section, with its place in the whole text. */
interface Line {
  /** Without its condition, in whose place are spaces. */
  readonly text: string;
  readonly number: number;
  readonly condition?: Condition;
}

/** The choice for which a line is part of the rule: `when nesterov = true:`. */
export interface Condition {
  readonly option: string;
  readonly value: boolean | string;
  /** The column of the option's name. */
  readonly column: number;
}

/** The chosen values of the options. */
type Choices = Readonly<Record<string, boolean | string>>;

type Sections = Readonly<Record<SectionName, readonly Line[]>>;

/** The parts of a text, as `defineRule` takes them. */
export interface RuleParts {
  readonly hyperparameters: Readonly<Record<string, Hyperparameter>>;
  readonly options: Readonly<Record<string, readonly (boolean | string)[]>>;
  readonly persistentScalars: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, "all" | "tensor">>;
  /** What depends on the choices, where lines have conditions. */
  readonly chosen: (choices: Choices) => ChosenParts;
  /** The lines with conditions. */
  readonly conditions: readonly (Line & { readonly condition: Condition })[];
}

interface ChosenParts {
  readonly slots: Readonly<Record<string, SlotDefinition>>;
  readonly perStep: string;
  readonly perElement: string;
  readonly evaluation: string;
}

/**
 * The rule that a text defines. The text has a section per property of `defineRule`'s argument:
 *
 * ```
 * hyperparameters:
 *   learningRate = 0.1, min 0
 * slots:
 *   m = 0
 * perElement:
 *   m = m * 0.9 + g
 *   u = m * learningRate
 * ```
 *
 * An option has a list of values, the default first, and a line may be part of the rule for one of them only:
 *
 * ```
 * options:
 *   nesterov = false, true
 * perElement:
 *   m = m * 0.9 + g
 *   when nesterov = false: u = m * learningRate
 *   when nesterov = true: u = (m * 0.9 + g) * learningRate
 * ```
 *
 * @param name of the rule
 * @throws {RuleTextError}
 */
export function ruleFromText(name: string, text: string): Rule {
  const { hyperparameters, options, persistentScalars, metrics, chosen, conditions } =
    rulePartsOf(text);
  const { perStep, evaluation } = chosen({});
  const isVarying = conditions.length > 0;
  const chosenPart = <K extends keyof ChosenParts>(key: K) =>
    isVarying ? (choices: Choices): ChosenParts[K] => chosen(choices)[key] : chosen({})[key];
  try {
    const { rule } = defineRule({
      name,
      hyperparameters,
      slots: chosenPart("slots"),
      persistentScalars,
      metrics,
      perElement: chosenPart("perElement"),
      ...(Object.keys(options).length === 0 ? {} : { options }),
      ...(isVarying || perStep.trim() !== "" ? { perStep: chosenPart("perStep") } : {}),
      ...(isVarying || evaluation.trim() !== "" ? { evaluation: chosenPart("evaluation") } : {}),
    });
    // Each value that a condition has, so that a mistake is found before it is chosen.
    for (const { condition } of conditions) rule.variant({ [condition.option]: condition.value });
    return rule;
  } catch (error) {
    if (error instanceof GradstepError) throw located(error, text);
    throw error;
  }
}

/** The parts of a text. @throws {RuleTextError} */
export function rulePartsOf(text: string): RuleParts {
  const sections = sectionsOf(text);
  const options = tableOf(sections.options, optionOf);
  const conditions = Object.values(sections)
    .flat()
    .filter((line): line is RuleParts["conditions"][number] => line.condition !== undefined);
  for (const { condition, number } of conditions) checkCondition(condition, number, options);
  return {
    hyperparameters: tableOf(sections.hyperparameters, hyperparameterOf),
    options,
    persistentScalars: tableOf(sections.persistentScalars, (entry) => numberOf(entry, entry.value)),
    metrics: tableOf(sections.metrics, metricOf),
    chosen: (choices) => {
      const chosen = (lines: readonly Line[]): readonly Line[] =>
        lines.filter(
          ({ condition }) =>
            condition === undefined ||
            condition.value === (choices[condition.option] ?? options[condition.option][0]),
        );
      return {
        slots: tableOf(chosen(sections.slots), slotOf),
        perStep: placed(chosen(sections.perStep)),
        perElement: placed(chosen(sections.perElement)),
        evaluation: placed(chosen(sections.evaluation)),
      };
    },
    conditions,
  };
}

/** The values of an option: `false, true`. */
function optionOf({ value, line, column }: Entry): readonly (boolean | string)[] {
  const values = value.split(",").map((part) => part.trim());
  const wrong = values.find((one, i) => !/^[\w-]+$/.test(one) || values.indexOf(one) !== i);
  if (wrong !== undefined)
    throw new RuleTextError(
      `Got "${wrong}"; expected different values, such as "false, true".`,
      line,
      column + Math.max(0, value.lastIndexOf(wrong)),
    );
  return values.map(choiceOf);
}

function choiceOf(text: string): boolean | string {
  return text === "true" || text === "false" ? text === "true" : text;
}

/** @throws {RuleTextError} */
function checkCondition(
  { option, value, column }: Condition,
  line: number,
  options: RuleParts["options"],
): void {
  if (!Object.hasOwn(options, option))
    throw new RuleTextError(
      `There is no option "${option}"; expected one of the section "options".`,
      line,
      column,
    );
  if (!options[option].includes(value))
    throw new RuleTextError(
      `${option} is never ${value}; expected ${options[option].join(" or ")}.`,
      line,
      column,
    );
}

/** The lines of a section as a text in which each has the number that it has in the whole text. */
function placed(lines: readonly Line[]): string {
  const all: string[] = [];
  for (const { text, number } of lines) all[number - 1] = text;
  return Array.from(all, (line) => line ?? "").join("\n");
}

function sectionsOf(text: string): Sections {
  const sections = Object.fromEntries(
    sectionNames.map((name): [SectionName, Line[]] => [name, []]),
  ) as Record<SectionName, Line[]>;
  let current: SectionName | undefined;
  text.split("\n").forEach((line, i) => {
    const number = i + 1;
    const [, indent = "", heading] = /^(\s*)(\w+)\s*:\s*(?:\/\/.*)?$/.exec(line) ?? [];
    if (heading !== undefined) {
      current = sectionNames.find((name) => name === heading);
      if (current === undefined)
        throw new RuleTextError(
          `There is no section "${heading}"; expected one of ${sectionNames.join(", ")}.`,
          number,
          indent.length + 1,
        );
    } else if (current !== undefined) {
      sections[current].push(lineOf(line, number, current));
    } else if (line.trim() !== "" && !line.trim().startsWith("//")) {
      throw new RuleTextError(
        `Expected a section first, such as "hyperparameters:".`,
        number,
        line.length - line.trimStart().length + 1,
      );
    }
  });
  return sections;
}

/** Sections whose lines may have conditions. */
const conditional: readonly SectionName[] = ["slots", "perStep", "perElement", "evaluation"];

/** @throws {RuleTextError} */
function lineOf(text: string, number: number, section: SectionName): Line {
  const [prefix, before, option, value] =
    /^(\s*when\s+)([A-Za-z_]\w*)\s*=\s*([\w-]+)\s*:/.exec(text) ?? [];
  if (prefix === undefined) return { text, number };
  const column = before.length + 1;
  if (!conditional.includes(section))
    throw new RuleTextError(
      `A line of ${section} is part of every rule; expected a condition in ${conditional.join(", ")} only.`,
      number,
      text.length - text.trimStart().length + 1,
    );
  return {
    text: " ".repeat(prefix.length) + text.slice(prefix.length),
    number,
    condition: { option, value: choiceOf(value), column },
  };
}

/** A line `name = value`, with its place. */
interface Entry {
  readonly name: string;
  readonly value: string;
  readonly line: number;
  /** The column of the value. */
  readonly column: number;
}

function tableOf<T>(lines: readonly Line[], valueOf: (entry: Entry) => T): Record<string, T> {
  const table: Record<string, T> = {};
  for (const { text: whole, number } of lines) {
    const text = whole.replace(/\/\/.*/, "").trimEnd();
    if (text.trim() === "") continue;
    const [, before, name, equals, value] = /^(\s*)([A-Za-z_]\w*)(\s*=\s*)(\S.*)$/.exec(text) ?? [];
    if (name === undefined)
      throw new RuleTextError(
        `Expected a name with its first value: "name = 0".`,
        number,
        text.length - text.trimStart().length + 1,
      );
    const column = before.length + name.length + equals.length + 1;
    if (name === "__proto__")
      throw new RuleTextError(`"${name}" cannot be a name.`, number, before.length + 1);
    if (Object.hasOwn(table, name))
      throw new RuleTextError(`"${name}" is here twice.`, number, before.length + 1);
    table[name] = valueOf({ name, value, line: number, column });
  }
  return table;
}

function numberOf({ line, column }: Entry, text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  throw new RuleTextError(`Got "${text}"; expected a number.`, line, column);
}

function hyperparameterOf(entry: Entry): Hyperparameter {
  const [first, ...bounds] = entry.value.split(",").map((part) => part.trim());
  const range: { default: number; min?: number; max?: number; below?: number } = {
    default: numberOf(entry, first),
  };
  for (const bound of bounds) {
    const [, name, value] = /^(min|max|below)\s+(\S+)$/.exec(bound) ?? [];
    if (name === undefined)
      throw new RuleTextError(
        `Got "${bound}"; expected a bound, such as "min 0", "max 1" or "below 1".`,
        entry.line,
        entry.column + entry.value.indexOf(bound),
      );
    range[name as "min" | "max" | "below"] = numberOf(entry, value);
  }
  return range;
}

const extents: readonly SlotExtent[] = ["element", "row", "column", "tensor", "all"];

function slotOf(entry: Entry): SlotDefinition {
  const [, first, extentName = "element"] = /^(\S+)(?:\s+per\s+(\w+))?$/.exec(entry.value) ?? [];
  const extent = extents.find((one) => one === extentName);
  if (first === undefined || extent === undefined)
    throw new RuleTextError(
      `Got "${entry.value}"; expected a first value, such as "0", "p" or "0 per row".`,
      entry.line,
      entry.column,
    );
  const initial = /^[A-Za-z_]/.test(first) ? first : numberOf(entry, first);
  return extent === "element" ? initial : { extent, initial };
}

function metricOf({ value, line, column }: Entry): "all" | "tensor" {
  if (value === "all" || value === "tensor") return value;
  throw new RuleTextError(`Got "${value}"; expected "all" or "tensor".`, line, column);
}

/** An error of core with its place in the whole text. */
function located({ message, position }: GradstepError, text: string): RuleTextError {
  const [first] = message.split("\n");
  const sentence = first.replace(/ \(line \d+, column \d+\)$/, "").replace(/^Rule \S+: /, "");
  if (position !== undefined) return new RuleTextError(sentence, position.line, position.column);
  // Where the first name that the message mentions is defined, such as a slot that is never used.
  const lines = text.split("\n");
  for (const [name] of sentence.matchAll(/[A-Za-z_]\w*/g)) {
    const line = lines.findIndex((one) => new RegExp(`^\\s*${name}\\s*=`).test(one));
    if (line >= 0) return new RuleTextError(sentence, line + 1, lines[line].indexOf(name) + 1);
  }
  return new RuleTextError(sentence, 1, 1);
}
