import type { Expression, Op } from "@gradstep/core";
import { isEqual, isOperation } from "./expressions.js";
import { printSymbol, symbolOf } from "./symbols.js";

/** How tightly LaTeX holds together. */
const level = { conditional: 0, sum: 1, sign: 2, product: 3, fraction: 4, atom: 5 } as const;

interface Printed {
  readonly latex: string;
  readonly level: number;
  /** Whether it begins or ends with a digit, or with a word, which a product must separate. */
  readonly starts?: "digit" | "word";
  readonly ends?: "digit" | "word";
}

/** The LaTeX of a name. */
export type SymbolPrinter = (name: string) => string;

function plainSymbol(name: string): string {
  return printSymbol(symbolOf(name));
}

/**
 * An expression of the rule language as LaTeX: the same operations in the same order, with no more parentheses than
 * mathematics needs. Total: every expression that can be parsed can be printed.
 */
export function printExpression(
  expression: Expression,
  printName: SymbolPrinter = plainSymbol,
): string {
  return print(expression, printName).latex;
}

function print(expression: Expression, printName: SymbolPrinter): Printed {
  switch (expression.kind) {
    case "number":
      return printNumber(expression.value);
    case "name": {
      const latex = printName(expression.name);
      const isWord = latex.startsWith("\\mathrm");
      return { latex, level: level.atom, ...(isWord ? { starts: "word", ends: "word" } : {}) };
    }
    case "tensor":
      return expression.name === "newtonSchulz"
        ? printNewtonSchulz(expression.operands, printName)
        : printReduction(expression.name, print(expression.operands[0], printName));
    case "operation":
      return printOperation(expression.op, expression.operands, printName);
  }
}

/** A number from which 10ⁿ is written as a power, in digits. */
const manyDigits = 1e6;

function printNumber(value: number): Printed {
  const exponent = Math.log2(value);
  if (value >= manyDigits && Number.isInteger(exponent))
    return { latex: `2^{${exponent}}`, level: level.fraction, starts: "digit" };
  const [mantissa, power] = value.toExponential().split("e");
  if (value !== 0 && (value >= manyDigits || value < 1e-4)) {
    const ten = `10^{${Number(power)}}`;
    return mantissa === "1"
      ? { latex: ten, level: level.fraction, starts: "digit" }
      : { latex: `${mantissa} \\times ${ten}`, level: level.product, starts: "digit" };
  }
  return { latex: String(value), level: level.atom, starts: "digit", ends: "digit" };
}

/** In parentheses, unless it holds together tightly enough. */
function within(printed: Printed, least: number): string {
  return printed.level >= least ? printed.latex : parenthesized(printed.latex);
}

function parenthesized(latex: string): string {
  return `\\left( ${latex} \\right)`;
}

type Printer = (...operands: readonly Printed[]) => Printed;

function atom(latex: string): Printed {
  return { latex, level: level.atom };
}

function named(name: string): Printer {
  return (...operands) => ({
    latex: `${name}${parenthesized(operands.map(({ latex }) => latex).join(",\\; "))}`,
    level: level.fraction,
    starts: "word",
  });
}

/** `a < b`, which can only stand in a condition; `b > 0` for 0 < b. */
function compared(symbol: string, swapped: string): Printer {
  return (a, b) => {
    const [left, right] = [a, b].map((one) => within(one, level.sum));
    const isSwapped = a.starts === "digit" && a.ends === "digit" && a.level === level.atom;
    const latex = isSwapped ? `${right} ${swapped} ${left}` : `${left} ${symbol} ${right}`;
    return { latex, level: level.conditional };
  };
}

function multiplied(a: Printed, b: Printed): Printed {
  const left = within(a, level.product);
  const right = within(b, level.fraction);
  const isPlain = a.level >= level.product && b.level >= level.fraction;
  const needsDot = isPlain && b.starts === "digit";
  const needsSpace = isPlain && (a.ends === "word" || b.starts === "word");
  const separator = needsDot ? " \\cdot " : needsSpace ? " \\, " : " ";
  return {
    latex: left + separator + right,
    level: level.product,
    ...(a.level >= level.product && a.starts !== undefined ? { starts: a.starts } : {}),
    ...(b.level >= level.fraction && b.ends !== undefined ? { ends: b.ends } : {}),
  };
}

const printers: Readonly<Record<Exclude<Op, "select">, Printer>> = {
  neg: (a) => ({ latex: `-${within(a, level.product)}`, level: level.sign }),
  abs: (a) => atom(`\\left| ${a.latex} \\right|`),
  sqrt: (a) => ({ latex: `\\sqrt{${a.latex}}`, level: level.fraction }),
  sign: named("\\operatorname{sign}"),
  flush: named("\\operatorname{flush}"),
  isFinite: named("\\operatorname{isFinite}"),
  f32: named("\\operatorname{fl}"),
  min: named("\\min"),
  max: named("\\max"),
  floor: (a) => atom(`\\left\\lfloor ${a.latex} \\right\\rfloor`),
  add: (a, b) => ({
    latex: `${within(a, level.sum)} + ${within(b, level.product)}`,
    level: level.sum,
  }),
  sub: (a, b) => ({
    latex: `${within(a, level.sum)} - ${within(b, level.product)}`,
    level: level.sum,
  }),
  mul: multiplied,
  div: (a, b) => ({ latex: `\\frac{${a.latex}}{${b.latex}}`, level: level.fraction }),
  pow: (a, b) => ({
    latex: `${within(a, level.atom)}^{${b.latex}}`,
    level: level.fraction,
    ...(a.level >= level.atom && a.starts !== undefined ? { starts: a.starts } : {}),
  }),
  lt: compared("<", ">"),
  le: compared("\\le", "\\ge"),
  eq: compared("=", "="),
  ne: compared("\\ne", "\\ne"),
};

function printOperation(
  op: Op,
  operands: readonly Expression[],
  printName: SymbolPrinter,
): Printed {
  if (op === "select") return printCases(operands, printName);
  return printers[op](...operands.map((one) => print(one, printName)));
}

/** A chain of conditions as the lines of one brace. */
function printCases(operands: readonly Expression[], printName: SymbolPrinter): Printed {
  const lines: string[] = [];
  let [condition, whenTrue, otherwise] = operands;
  for (;;) {
    const conditions = [condition];
    // `c ? (d ? a : b) : b` is a where both hold.
    while (isOperation(whenTrue, "select") && isEqual(whenTrue.operands[2], otherwise)) {
      conditions.push(whenTrue.operands[0]);
      whenTrue = whenTrue.operands[1];
    }
    const text = conditions.map((one) => print(one, printName).latex).join(" \\text{ and } ");
    lines.push(`${print(whenTrue, printName).latex} & \\text{if } ${text}`);
    if (!isOperation(otherwise, "select")) break;
    [condition, whenTrue, otherwise] = otherwise.operands;
  }
  lines.push(`${print(otherwise, printName).latex} & \\text{otherwise}`);
  const latex = `\\begin{cases} ${lines.join(" \\\\ ")} \\end{cases}`;
  return { latex, level: level.conditional };
}

/** `normRow(x)` as ‖x‖ with the word row below it. */
function printReduction(name: string, operand: Printed): Printed {
  const [, kind, over] = /^([a-z]+)([A-Z][a-z]+)$/.exec(name)!;
  const below = `_{\\mathrm{${over.toLowerCase()}}}`;
  if (kind === "norm") {
    const index = over === "Tensor" ? "" : below;
    return atom(`\\left\\| ${operand.latex} \\right\\|${index}`);
  }
  if (kind === "sum")
    return { latex: `\\sum${below} ${within(operand, level.product)}`, level: level.sign };
  const word = kind === "max" ? "\\max" : "\\operatorname{mean}";
  return named(`${word}${below}`)(operand);
}

/** a·X + b·(XXᵀ)X + c·(XXᵀ)²X. */
function printNewtonSchulz(
  [matrix, ...coefficients]: readonly Expression[],
  printName: SymbolPrinter,
): Printed {
  const x = within(print(matrix, printName), level.atom);
  const square = parenthesized(`${x} ${x}^{\\mathsf{T}}`);
  const terms = [x, `${square} ${x}`, `${square}^{2} ${x}`];
  const [a, b, c] = coefficients.map((one, i) => {
    const printed = print(one, printName);
    return `${within(printed, level.fraction)} \\, ${terms[i]}`;
  });
  return { latex: `${a} + ${b} + ${c}`, level: level.sum };
}
