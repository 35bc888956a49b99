import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "../src/language/interpret.js";
import type { Precision } from "../src/language/precision.js";
import { buildProgram } from "../src/language/build-program.js";
import { bytecodeOf } from "../src/language/bytecode.js";
import { elementArrays, evaluateLines, printLines, programs, singles } from "./language.js";

/** The outputs of a text for these inputs. */
function run(
  text: string,
  inputs: Readonly<Record<string, number>>,
  precision: Precision,
): Record<string, number> {
  const program = buildProgram([{ text }], {
    arrays: elementArrays(Object.keys(inputs)),
    scalars: [],
    isOutput: () => true,
    onHost: true,
  });
  const values = new Float64Array(program.nodes.length);
  for (const { name, node } of program.inputs) values[node] = inputs[name];
  interpret(bytecodeOf(program), values, precision);
  return Object.fromEntries(program.outputs.map(({ name, node }) => [name, values[node]]));
}

function value(expression: string, a: number, b = 0, precision: Precision = "f64"): number {
  return run(`x = ${expression}`, { a, b }, precision).x;
}

const tiny = 2 ** -149;
const normal = 2 ** -126;
const largest = (2 - 2 ** -23) * 2 ** 127;

describe("each operation", () => {
  test.each([
    ["-a", 0, 0, -0],
    ["-a", -3, 0, 3],
    ["abs(a)", -0, 0, 0],
    ["abs(a)", -Infinity, 0, Infinity],
    ["sqrt(a)", 2, 0, Math.SQRT2],
    ["sqrt(a)", -0, 0, -0],
    ["sqrt(a)", -1, 0, Number.NaN],
    ["sign(a)", -7, 0, -1],
    ["sign(a)", 7, 0, 1],
    ["sign(a)", -0, 0, -0],
    ["sign(a)", 0, 0, 0],
    ["sign(a)", Number.NaN, 0, Number.NaN],
    ["sign(a)", tiny, 0, 1],
    ["flush(a)", tiny, 0, 0],
    ["flush(a)", -tiny, 0, 0],
    ["flush(a)", -0, 0, 0],
    ["flush(a)", normal, 0, normal],
    ["flush(a)", -normal, 0, -normal],
    ["flush(a)", normal - tiny, 0, 0],
    ["flush(a)", Number.NaN, 0, Number.NaN],
    ["flush(a)", -Infinity, 0, -Infinity],
    ["isFinite(a)", 3.4028234663852886e38, 0, 1],
    ["isFinite(a)", -tiny, 0, 1],
    ["isFinite(a)", -0, 0, 1],
    ["isFinite(a)", Infinity, 0, 0],
    ["isFinite(a)", -Infinity, 0, 0],
    ["isFinite(a)", Number.NaN, 0, 0],
    ["a + b", 0.125, 2 ** -30, 0.125 + 2 ** -30],
    ["a + b", -0, -0, -0],
    ["a + b", -0, 0, 0],
    ["a - b", Infinity, Infinity, Number.NaN],
    ["a * b", -0, 5, -0],
    ["a * b", 0, Infinity, Number.NaN],
    ["a / b", 1, -0, -Infinity],
    ["a / b", 0, 0, Number.NaN],
    ["min(a, b)", -0, 0, -0],
    ["min(a, b)", 0, -0, -0],
    ["max(a, b)", -0, 0, 0],
    ["max(a, b)", 1, Number.NaN, Number.NaN],
    ["min(a, b)", Number.NaN, 1, Number.NaN],
    ["min(a, b)", 2, 1, 1],
    ["max(a, b)", 2, 1, 2],
    ["a ** b", 0.75, 3, 0.421875],
    ["a ** b", 5, 0, 1],
    ["f32(a)", 0.1, 0, Math.fround(0.1)],
    ["a < b ? 1 : 2", 1, 1, 2],
    ["a <= b ? 1 : 2", 1, 1, 1],
    ["a > b ? 1 : 2", 1, 1, 2],
    ["a >= b ? 1 : 2", 1, 1, 1],
    ["a == b ? 1 : 2", 0, -0, 1],
    ["a != b ? 1 : 2", 0, -0, 2],
    ["a < b ? 1 : 2", Number.NaN, 1, 2],
    ["a >= b ? 1 : 2", Number.NaN, 1, 2],
    ["a == b ? 1 : 2", Number.NaN, Number.NaN, 2],
    ["a != b ? 1 : 2", Number.NaN, Number.NaN, 1],
    ["a < b ? a : b", -0, 1, -0],
  ])("%s for a = %f, b = %f gives %f", (expression, a, b, expected) => {
    expect(value(expression, a, b)).toBe(expected);
    expect(value(expression, a, b, "f32")).toBe(Math.fround(expected));
  });
});

describe("f32", () => {
  test.each([
    // Ties round to even.
    ["a + b", 1, 2 ** -24, 1],
    ["a + b", 1 + 2 ** -23, 2 ** -24, 1 + 2 ** -22],
    ["a + b", 2 ** 24, 1, 2 ** 24],
    ["a + b", 2 ** 24 + 2, 1, 2 ** 24 + 4],
    ["a * b", largest, 2, Infinity],
    ["a + b", largest, 2 ** 102, largest],
    ["a + b", largest, 2 ** 103, Infinity],
    // Subnormal numbers are kept; less than half of the smallest becomes 0.
    ["a * b", normal, 2 ** -23, tiny],
    ["a / b", tiny, 2, 0],
    ["a * b", 3 * tiny, 0.5, 2 * tiny],
    ["a - b", normal, tiny, normal - tiny],
    ["sqrt(a)", 2, 0, 1.41421353816986083984375],
    ["a / b", 1, 3, 0.3333333432674407958984375],
  ])("%s for a = %f, b = %f gives %f", (expression, a, b, expected) => {
    expect(value(expression, a, b, "f32")).toBe(expected);
  });

  test("literals are rounded before use", () => {
    expect(value("a * 0.1", 1, 0, "f32")).toBe(Math.fround(0.1));
    expect(value("a * 0.1", 1)).toBe(0.1);
    expect(value("a * 3.5e38", 1, 0, "f32")).toBe(Infinity);
  });

  test("every result is rounded before the next operation", () => {
    const f = Math.fround;
    const [a, b] = [f(0.1), f(0.7)];
    const stepwise = f(f(f(a * b) + a) / f(b - a));
    expect(value("(a * b + a) / (b - a)", a, b, "f32")).toBe(stepwise);
    expect(value("(a * b + a) / (b - a)", a, b)).toBe((a * b + a) / (b - a));
  });
});

describe("random programs", () => {
  const names = ["p", "g", "m", "v", "a"];
  const inputs = fc.record(Object.fromEntries(names.map((name) => [name, singles])));

  test.each([
    ["f32", Math.fround],
    ["f64", (x: number): number => x],
  ] as const)("give the results of JavaScript's operators, in %s", (precision, round) => {
    fc.assert(
      fc.property(programs(["p", "m", "v"], names), inputs, (lines, values) => {
        const expected = evaluateLines(lines, values, round);
        for (const [name, got] of Object.entries(run(printLines(lines), values, precision)))
          expect(got).toBe(expected[name]);
      }),
      { numRuns: 500 },
    );
  });
});
