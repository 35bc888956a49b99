import { isOperation } from "./expressions.js";
import { printExpression, type SymbolPrinter } from "./print-expression.js";
import { stateOf, type Mathematics, type Repetition, type Statement } from "./statements.js";
import { printSymbol, symbolOf } from "./symbols.js";

/** A statement as LaTeX. */
export interface PrintedStatement {
  readonly per: Statement["per"];
  /** What is assigned, what is assigned to it, and what is said behind it. */
  readonly target: string;
  readonly value: string;
  readonly note: string;
}

/** Statements as LaTeX: state has the index t − 1 before it is assigned, and then t. */
export function printStatements(mathematics: Mathematics): readonly PrintedStatement[] {
  const { statements } = mathematics;
  const symbols = (name: string): string => symbolIn(mathematics, name);
  return statements.map(({ name, value, per, repeats }) => {
    const isBrace = isOperation(value, "select");
    const printed = printExpression(value, symbols);
    return {
      per,
      target: symbols(name),
      // The lines of a brace are set smaller.
      value: isBrace ? printed.replaceAll("\\frac", "\\tfrac") : printed,
      note: repeats === undefined ? "" : repetition(repeats, symbols),
    };
  });
}

/** `N times`, or `i = 1, …, N` if the times differ. */
function repetition({ count, values }: Repetition, symbols: SymbolPrinter): string {
  const times = printExpression(count, symbols);
  return values.size === 0 ? `(${times} \\text{ times})` : `(i = 1, \\dots, ${times})`;
}

function symbolIn({ state, given, isBeforeUpdate }: Mathematics, name: string): string {
  const { state: written, isBefore } = stateOf(name);
  const hatless = written.replace(/Hat$/, "");
  const isNow = ["g", "u"].includes(written) || state.has(hatless) || given.has(hatless);
  const isParameter = written === "p";
  const index = isParameter
    ? isBefore && isBeforeUpdate
      ? "t-1"
      : state.has("p")
        ? "t"
        : "t-1"
    : isBefore
      ? "t-1"
      : isNow
        ? "t"
        : undefined;
  return printSymbol(symbolOf(written), index);
}

/** Lines of LaTeX, one below the other. */
export function aligned(printed: readonly PrintedStatement[]): string {
  const lines = printed.map(
    ({ target, value, note }) =>
      `${target} &\\gets ${value}${note === "" ? "" : ` \\quad ${note}`}`,
  );
  return `\\begin{aligned} ${lines.join(" \\\\[4pt] ")} \\end{aligned}`;
}
