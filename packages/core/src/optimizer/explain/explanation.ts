/** A line of a rule or a stage, with its value for one element. */
export interface ExplainedLine {
  /**
   * The statement as it is written: `m = m + (g - m) * c1`. If a stage and another part of a chain use one name for
   * different values, the stage's name precedes that of the stage's value: `ema_decay`, while `decay` is the rule's.
   */
  readonly text: string;
  /** The name that it assigns. */
  readonly name: string;
  readonly value: number;
  /** The values that it reads, by name. */
  readonly reads: Readonly<Record<string, number>>;
  /** Whether the host computes it once per step, or the backend per tensor. */
  readonly when: "per step" | "per element";
}

/** What the next step would do with one element of a parameter. */
export interface Explanation {
  /** Name of the rule, with options that differ from their defaults. */
  readonly rule: string;
  readonly parameter: string;
  /** Index in the parameter, row-major. */
  readonly index: number;
  /** Number of the step, 1 for the first of the parameter's group, or of the row if rows count their own. */
  readonly step: number;
  readonly gradient: number;
  /** The value of the parameter before the step, and after it. */
  readonly before: number;
  readonly after: number;
  /**
   * Why the step leaves the element as it is: its group is frozen, a gradient is not finite with `nonFinite: "skip"` or
   * `"throw"`, or its row is not selected: it is beyond the row count, or the sparse gradient of a lazy step leaves it out.
   * The lines say what the rule would compute. Undefined if the step updates it.
   */
  readonly unchanged: "frozen" | "non-finite" | "unselected" | undefined;
  readonly lines: readonly ExplainedLine[];
  /** All of this as text, for people. */
  toString(): string;
}

const causes = {
  frozen: "its group is frozen",
  "non-finite": "a gradient is not finite",
  unselected: "its row is not selected",
};

/** Width of the column of values. */
const valueWidth = 13;

/** The text of an explanation: a line per statement: its value, the statement, and what it reads. */
export function describeExplanation(explanation: Omit<Explanation, "toString">): string {
  const { rule, parameter, index, step, gradient, before, after, unchanged, lines } = explanation;
  const section = (when: ExplainedLine["when"]): string[] => {
    const some = lines.filter((line) => line.when === when);
    return some.length === 0 ? [] : [`${when}:`, ...some.map(describeLine)];
  };
  const change =
    unchanged === undefined
      ? `goes from ${short(before)} to ${short(after)}`
      : `stays ${short(before)}, because ${causes[unchanged]}`;
  return [
    `${rule}, step ${step}: ${parameter}[${index}] ${change}, with a gradient of ${short(gradient)}`,
    ...section("per step"),
    ...section("per element"),
  ].join("\n");
}

function describeLine({ text, value, reads }: ExplainedLine): string {
  const inputs = Object.entries(reads).map(([name, one]) => `${name} ${short(one)}`);
  const end = inputs.length > 0 ? `   (${inputs.join(", ")})` : "";
  return `  ${short(value).padEnd(valueWidth)} ${text}${end}`;
}

/** Six digits, without zeros at the end. */
function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);
}
