import { describe, expect, test } from "vitest";
import { activate, applyChainRule, normOf } from "../src/activations/activate.js";
import {
  checkActivation,
  type ActivationKind,
  type CheckedActivation,
} from "../src/activations/activation.js";

const kinds: readonly ActivationKind[] = [
  "identity",
  "exp",
  "sigmoid",
  "softplus",
  "affine",
  "normalize",
];
const of = (kind: ActivationKind): CheckedActivation =>
  kind === "affine" ? { kind, scale: -1.5, offset: 0.25 } : { kind, scale: 1, offset: 0 };
const exact = (value: number): number => value;

/** The activated values of a row, in f64. */
function activated(kind: ActivationKind, row: readonly number[]): number[] {
  const norm = normOf(of(kind), row, 0, row.length);
  return row.map((value) => activate(of(kind), value, norm, exact));
}

/** Gradients by the values of a row, from those by its activated values, in f64. */
function chained(kind: ActivationKind, row: readonly number[], g: readonly number[]): number[] {
  const values = Float64Array.from(g);
  const rows = Uint32Array.of(0);
  applyChainRule(
    of(kind),
    { values: Float64Array.from(row), rows },
    { values, rows },
    1,
    row.length,
    exact,
  );
  return [...values];
}

describe("activations", () => {
  test("equal their definitions", () => {
    for (let x = -20; x <= 20; x += 0.37) {
      const tanh = Math.tanh(x / 2);
      expect(activated("exp", [x])[0] / Math.E ** x).toBeCloseTo(1, 12);
      expect(activated("sigmoid", [x])[0]).toBeCloseTo((1 + tanh) / 2, 14);
      expect(activated("softplus", [x])[0]).toBeCloseTo(Math.log(1 + Math.E ** x), 12);
      expect(activated("affine", [x])[0]).toBe(-1.5 * x + 0.25);
      expect(activated("identity", [x])[0]).toBe(x);
    }
    expect(activated("normalize", [3, 0, -4])).toEqual([0.6, 0, -0.8]);
  });

  test("neither overflow nor vanish where their values are numbers", () => {
    expect(activated("sigmoid", [-700])[0]).toBe(Math.exp(-700));
    expect(activated("sigmoid", [800, -800])).toEqual([1, 0]);
    expect(activated("softplus", [800])[0]).toBe(800);
    expect(activated("softplus", [-40])[0]).toBeCloseTo(Math.exp(-40), 30);
    expect(activated("normalize", [0, 0])).toEqual([0, 0]);
    expect(activated("normalize", [5e-13, 0])).toEqual([0.5, 0]);
    for (const kind of kinds) expect(activated(kind, [Number.NaN])[0]).toBeNaN();
  });

  test("are rounded once", () => {
    const x = Math.fround(0.3);
    expect(activate(of("exp"), x, 1, Math.fround)).toBe(Math.fround(Math.exp(x)));
    expect(activate(of("affine"), x, 1, Math.fround)).toBe(Math.fround(x * -1.5 + 0.25));
  });
});

describe.each(kinds)("the chain rule of %s", (kind) => {
  test("is applied to the first rows of a list alone", () => {
    const row = [0.7, -1.3];
    const values = Float64Array.of(5, 6, 0.4, -0.9);
    const rows = { values: Float64Array.of(...row, 3, 4), rows: Uint32Array.of(0, 1) };
    applyChainRule(of(kind), rows, { values, rows: Uint32Array.of(1, 0) }, 1, 2, exact);
    expect([...values]).toEqual([5, 6, ...chained(kind, row, [0.4, -0.9])]);
  });

  test("gives the differences of what it derives", () => {
    const row = [0.7, -1.3, 2.1, 0.2];
    const g = [0.4, -0.9, 0.3, 1.7];
    const loss = (values: readonly number[]): number =>
      activated(kind, values).reduce((sum, value, j) => sum + value * g[j], 0);
    const step = 1e-6;
    chained(kind, row, g).forEach((derived, i) => {
      const moved = (by: number): number[] => row.map((value, j) => (j === i ? value + by : value));
      const difference = (loss(moved(step)) - loss(moved(-step))) / (2 * step);
      expect(derived).toBeCloseTo(difference, 7);
    });
  });

  test("takes each row by itself", () => {
    const values = Float64Array.of(9, 9, 1, -2, 0.5, 3);
    const p = Float64Array.of(0.3, 0.4, -1, 2);
    applyChainRule(
      of(kind),
      { values: p, rows: Uint32Array.of(1, 0) },
      { values, rows: Uint32Array.of(2, 1) },
      2,
      2,
      exact,
    );
    expect([...values]).toEqual([
      9,
      9,
      ...chained(kind, [0.3, 0.4], [1, -2]),
      ...chained(kind, [-1, 2], [0.5, 3]),
    ]);
  });
});

test("the chain rule in f32 rounds every operation", () => {
  const f32 = Math.fround;
  const [x, g] = [f32(0.3), f32(-1.7)];
  const derive = (kind: ActivationKind, row: number[], given: number[]): number[] => {
    const values = Float32Array.from(given);
    const rows = Uint32Array.of(0);
    const p = { values: Float32Array.from(row), rows };
    applyChainRule(of(kind), p, { values, rows }, 1, row.length, f32);
    return [...values];
  };
  const sigmoid = f32(1 / (1 + Math.exp(-x)));
  const other = f32(1 / (1 + Math.exp(x)));
  expect(derive("sigmoid", [x], [g])).toEqual([f32(g * f32(sigmoid * other))]);
  expect(derive("exp", [x], [g])).toEqual([f32(g * f32(Math.exp(x)))]);
  expect(derive("softplus", [x], [g])).toEqual([f32(g * sigmoid)]);
  expect(derive("affine", [x], [g])).toEqual([f32(g * -1.5)]);
  const norm = Math.sqrt(x * x + g * g);
  const n = [f32(x / norm), f32(g / norm)];
  const along = f32(f32(n[0] * 2) + f32(n[1] * 3));
  expect(derive("normalize", [x, g], [2, 3])).toEqual([
    f32(f32(2 - f32(n[0] * along)) / f32(norm)),
    f32(f32(3 - f32(n[1] * along)) / f32(norm)),
  ]);
});

test("an affine activation takes two finite numbers, and nothing else", () => {
  const right = { kind: "affine", scale: 2, offset: 1 } as const;
  expect(checkActivation("w", right)).toEqual(right);
  const wrong = [1n, Symbol("s"), "2", [2], null, undefined, NaN, 1e39, Object.create(null)];
  for (const value of wrong as unknown[])
    for (const changed of [{ scale: value }, { offset: value }, { shift: 1 }])
      expect(() => checkActivation("w", { ...right, ...changed })).toThrow(
        expect.objectContaining({ code: "UNKNOWN_OPTION" }),
      );
});
