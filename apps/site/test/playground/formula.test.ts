import { describe, expect, test } from "vitest";
import { parseFormula } from "../../src/playground/formula.js";
import { FormulaError } from "../../src/playground/formula-parser.js";
import { surfaces } from "../../src/playground/surfaces.js";

const at = (text: string, x = 2, y = 3): number => parseFormula(text).valueAt(x, y);

describe("values", () => {
  test.each([
    ["x + y * 2", 8],
    ["(x + y) * 2", 10],
    ["-x^2", -4],
    ["(-x)^2", 4],
    ["2^-1", 0.5],
    ["x^y^0", 2],
    ["x ** y", 8],
    ["1 - 2 - 3", -4],
    ["12 / 2 / 3", 2],
    ["2 * -x", -4],
    ["max(x, y) - min(x, y)", 1],
    ["1.5e1 + .5", 15.5],
    ["abs(x - y)", 1],
    ["log(e)", 1],
    ["--x", 2],
  ])("%s is %d at (2, 3)", (text, value) => expect(at(text)).toBe(value));

  test("functions", () => {
    expect(at("cos(pi) + sin(0) + exp(0) + sqrt(9) + tan(0) + tanh(0)")).toBeCloseTo(3, 15);
  });
});

describe("gradients", () => {
  const formulas = [
    ...surfaces.map(({ formula }) => formula),
    "x^y",
    "tan(x/5) * tanh(y) / log(x + 3)",
    "sqrt(x*x + y*y) - abs(x - 4*y) + exp(-x)",
    "max(x*y, y) + min(x, 3*y)",
    "-(-x)^3 / y",
  ];
  test.each(formulas)("of %s are those of central differences", (text) => {
    const { valueAt, gradientAt } = parseFormula(text);
    for (const [x, y] of [
      [0.7, 1.3],
      [1.9, 0.4],
      [0.21, 2.3],
    ]) {
      const h = 1e-5;
      const [dx, dy] = gradientAt(x, y);
      const scale = 1 + Math.abs(dx) + Math.abs(dy);
      expect(Math.abs(dx - (valueAt(x + h, y) - valueAt(x - h, y)) / (2 * h)) / scale).toBeLessThan(
        1e-6,
      );
      expect(Math.abs(dy - (valueAt(x, y + h) - valueAt(x, y - h)) / (2 * h)) / scale).toBeLessThan(
        1e-6,
      );
    }
  });

  test("of a power of a negative number", () => {
    expect(parseFormula("x^2 + 0*y^0").gradientAt(-2, 0)).toEqual([-4, 0]);
    expect(parseFormula("x^3").gradientAt(-2, 0)).toEqual([12, 0]);
  });
});

describe("surfaces", () => {
  test.each(surfaces.map((surface) => [surface.name, surface] as const))(
    "%s: the gradient is 0 in the minima, which are in the map and have the least value around",
    (_, { formula: text, minima, extent, start }) => {
      const formula = parseFormula(text);
      const values = minima.map(([x, y]) => formula.valueAt(x, y));
      for (const [x, y] of minima) {
        // Ackley's function has a corner at its minimum.
        const slope = text.includes("sqrt") ? 0 : Math.hypot(...formula.gradientAt(x, y));
        expect(slope).toBeLessThan(2e-3);
        expect(x > extent.xMin && x < extent.xMax && y > extent.yMin && y < extent.yMax).toBe(true);
        for (const [dx, dy] of [
          [0.01, 0],
          [-0.01, 0],
          [0, 0.01],
          [0, -0.01],
        ])
          expect(formula.valueAt(x + dx, y + dy)).toBeGreaterThan(formula.valueAt(x, y));
      }
      for (const value of values) expect(value).toBeCloseTo(values[0], 4);
      expect(formula.valueAt(...start)).toBeGreaterThan(values[0]);
    },
  );
});

describe("errors", () => {
  test.each([
    ["x +", 4],
    ["x + z", 5],
    ["(x + y", 7],
    ["x y", 3],
    ["sin x", 5],
    ["sin(x, y)", 9],
    ["min(x)", 6],
    ["x # y", 3],
    ["", 1],
    ["foo(x)", 1],
    ["constructor(x)", 1],
    ["y😀x", 2],
  ])("%j: at column %d", (text, column) => {
    expect(columnOf(text)).toBe(column);
  });

  test("a formula that is nested too deeply is an error, not a full stack", () => {
    expect(columnOf("(".repeat(100_000))).toBeGreaterThan(100);
    expect(columnOf("-".repeat(100_000))).toBeGreaterThan(100);
  });

  test("so is one that is too long: its sum would be as deep as it has terms", () => {
    expect(columnOf(`x${"+x".repeat(100_000)}`)).toBe(2001);
    const longest = parseFormula(`xx${"+x".repeat(999)}`.slice(1));
    expect(longest.text).toHaveLength(1999);
    expect(longest.valueAt(3, 0)).toBe(3000);
    expect(longest.gradientAt(3, 0)).toEqual([1000, 0]);
  });

  test("a character of two code units is named whole", () => {
    expect(() => parseFormula("y😀x")).toThrow('"😀" is not part of a formula.');
  });
});

function columnOf(text: string): number {
  try {
    parseFormula(text);
  } catch (error) {
    if (error instanceof FormulaError) return error.column;
    throw error;
  }
  return 0;
}
