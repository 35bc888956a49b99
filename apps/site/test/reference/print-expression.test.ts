import { parseRuleText, type Expression } from "@gradstep/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../../testing/cases.js";
import { namesIn } from "../../src/reference/mathematics/expressions.js";
import { printExpression } from "../../src/reference/mathematics/print-expression.js";
import { printSymbol, symbolOf } from "../../src/reference/mathematics/symbols.js";
import { valueOfExpression } from "./expression-value.js";
import { keyOf, treeOf, valueOfLatex } from "./latex-value.js";

const names = [
  "p",
  "g",
  "m",
  "v",
  "vMax",
  "beta1",
  "epsilonHat",
  "learningRate",
  "ratio",
  "c1",
  "t",
];
const reductions = ["sum", "mean", "max", "norm"].flatMap((kind) =>
  ["Row", "Column", "Tensor", "All"].map((over) => kind + over),
);
const comparisons = ["<", "<=", ">", ">=", "==", "!="];

/** Expressions with every operation, with and without parentheses. */
const { text } = fc.letrec<{ text: string }>((tie) => {
  const binary = (...operators: string[]) =>
    fc
      .tuple(fc.constantFrom(...operators), tie("text"), tie("text"), fc.boolean())
      .map(([operator, a, b, isInParentheses]) =>
        isInParentheses ? `(${a} ${operator} ${b})` : `${a} ${operator} ${b}`,
      );
  const call = (functions: readonly string[], count: number) =>
    fc
      .tuple(
        fc.constantFrom(...functions),
        fc.array(tie("text"), { minLength: count, maxLength: count }),
      )
      .map(([name, operands]) => `${name}(${operands.join(", ")})`);
  return {
    text: fc.oneof(
      { maxDepth: 5, depthSize: "small", withCrossShrink: true },
      { weight: 3, arbitrary: fc.constantFrom(...names) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("0", "1", "2", "0.5", "1.25", "1e-7", "3.5e-8", "2e9", "0.96"),
      },
      { weight: 5, arbitrary: binary("+", "-", "*", "/") },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie("text"), fc.constantFrom("2", "t", "-1", "(t + 1)"))
          .map(([a, b]) => `(${a}) ** ${b}`),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie("text"), fc.boolean())
          .map(([a, isWhole]) => (isWhole ? `-(${a})` : `(-${a})`)),
      },
      {
        weight: 2,
        arbitrary: call(["abs", "sqrt", "sign", "flush", "isFinite", "f32", "floor"], 1),
      },
      { weight: 1, arbitrary: call(["min", "max"], 2) },
      { weight: 1, arbitrary: call(reductions, 1) },
      { weight: 1, arbitrary: call(["newtonSchulz"], 4) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(
            tie("text"),
            fc.constantFrom(...comparisons),
            tie("text"),
            tie("text"),
            tie("text"),
          )
          .map(([a, comparison, b, c, d]) => `((${a}) ${comparison} (${b}) ? ${c} : ${d})`),
      },
    ),
  };
});

function parsed(source: string): Expression {
  return parseRuleText(`x = ${source}`)[0].value;
}

/** Values of names, by name and by the key of their symbols. */
function environment(expression: Expression, values: readonly number[]) {
  const own = new Map([...namesIn(expression)].map((name) => [name, values[names.indexOf(name)]]));
  const keys = new Map(
    [...own].map(([name, value]) => [keyOf(treeOf(printSymbol(symbolOf(name)))), value]),
  );
  return { own, keys };
}

test("the LaTeX of an expression is read as the expression: the same bits", () => {
  const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
    minLength: names.length,
    maxLength: names.length,
  });
  fc.assert(
    fc.property(text, numbers, (source, values) => {
      const expression = parsed(source);
      const latex = printExpression(expression);
      const { own, keys } = environment(expression, values);
      expect(valueOfLatex(latex, keys), `${source} is ${latex}`).toBe(
        valueOfExpression(expression, own),
      );
    }),
    { seed, numRuns: cases(5000, 20) },
  );
});

test.each([
  ["a - (b - c)", "a - \\left( b - c \\right)"],
  ["a - b - c", "a - b - c"],
  ["a * (b + c)", "a \\left( b + c \\right)"],
  ["-m ** 2", "-m^{2}"],
  ["(-m) ** 2", "\\left( -m \\right)^{2}"],
  ["(a / b) ** 2", "\\left( \\frac{a}{b} \\right)^{2}"],
  ["beta1 ** t * 2", "\\beta_{1}^{t} \\cdot 2"],
  ["ratio * rows", "\\mathrm{ratio} \\, \\mathrm{rows}"],
  ["1e-7 * m", "10^{-7} m"],
  ["normRow(g)", "\\left\\| g \\right\\|_{\\mathrm{row}}"],
  ["0 < v ? m : g", "\\begin{cases} m & \\text{if } v > 0 \\\\ g & \\text{otherwise} \\end{cases}"],
])("%s", (source, latex) => {
  expect(printExpression(parsed(source))).toBe(latex);
});

test("every name has a symbol that MathJax takes", () => {
  const name = fc.stringMatching(/^[A-Za-z_]\w{0,8}$/);
  fc.assert(
    fc.property(name, (one) => {
      expect(() => treeOf(printSymbol(symbolOf(one), "t-1"))).not.toThrow();
    }),
    { seed, numRuns: cases(1000, 20) },
  );
});
