import type { Statement } from "../../language/build-program.js";
import type { Expression, Position } from "../../language/expression.js";
import type { ExplainedLine } from "./explanation.js";

/** What the names of a program mean. */
interface NameLookup {
  /** The value of a name that no statement before has assigned. */
  readonly inputOf: (name: string) => number | undefined;
  /** How a name is shown. */
  readonly shown: (name: string) => string;
}

/**
 * The lines of statements with their values.
 * @param values those of the nodes
 */
export function linesOf(
  statements: readonly Statement[],
  values: Float64Array,
  when: ExplainedLine["when"],
  { inputOf, shown }: NameLookup,
): ExplainedLine[] {
  const current = new Map<string, number>();
  return statements.map(({ name, node, source, assignment }, i) => {
    const reads: Record<string, number> = {};
    for (const written of namesIn(assignment.value)) {
      const read = source.rename?.(written) ?? written;
      const value = current.get(read) ?? inputOf(read);
      if (value !== undefined) reads[shown(read)] = value;
    }
    current.set(name, values[node]);
    const next = statements[i + 1];
    const end = next?.source === source ? next.assignment.at : undefined;
    const text = textBetween(source.text, assignment.at, end).replaceAll(/[A-Za-z_]\w*/g, (word) =>
      shown(source.rename?.(word) ?? word),
    );
    return { text, name: shown(name), value: values[node], reads, when };
  });
}

function namesIn(expression: Expression): readonly string[] {
  if (expression.kind === "number") return [];
  if (expression.kind === "name") return [expression.name];
  return expression.operands.flatMap(namesIn);
}

/** A statement of a text on one line, without comments. */
function textBetween(text: string, from: Position, to: Position | undefined): string {
  const lines = text.split("\n");
  const offset = ({ line, column }: Position): number =>
    lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  return text
    .slice(offset(from), to === undefined ? undefined : offset(to))
    .replaceAll(/\/\/.*/g, "")
    .replaceAll(/\s+/g, " ")
    .replace(/[\s;]+$/, "");
}
