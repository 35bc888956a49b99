import type { Activation, CheckedActivation } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { activationBounds, chainRuleBounds } from "../src/bounds/activation-bounds.js";
import { errorOverBound, stored } from "../src/bounds/bounds.js";
import { roundToNearest, unitRoundoff, wgsl } from "../src/bounds/error-model.js";
import { isAnything, point } from "../src/bounds/interval.js";
import {
  fixedPointBound,
  float16Bound,
  readFloat16Bound,
} from "../src/bounds/stored-value-bounds.js";
import { ShaderActivations } from "../src/simulated-gpu/shader-activations.js";
import { Random } from "../src/suite/random/random.js";

const u = unitRoundoff;
const activations: readonly Activation[] = [
  "exp",
  "sigmoid",
  "softplus",
  "normalize",
  { kind: "affine", scale: -1.7, offset: 0.3 },
];
const checked = (activation: Activation): CheckedActivation =>
  typeof activation === "string"
    ? { kind: activation, scale: 1, offset: 0 }
    : {
        kind: "affine",
        scale: Math.fround(activation.scale),
        offset: Math.fround(activation.offset),
      };
const nameOf = (activation: Activation): string =>
  typeof activation === "string" ? activation : activation.kind;

/** Of f64, by other formulas than those of the bounds. */
const exactly: Record<string, (row: readonly number[]) => number[]> = {
  exp: (row) => row.map((x) => Math.exp(x)),
  sigmoid: (row) => row.map((x) => (Math.tanh(x / 2) + 1) / 2),
  softplus: (row) => row.map((x) => Math.log1p(Math.exp(x))),
  normalize: (row) => row.map((x) => x / Math.max(Math.hypot(...row), 1e-12)),
  affine: (row) => row.map((x) => x * Math.fround(-1.7) + Math.fround(0.3)),
};

/** Rows of 4 values: ordinary ones, and some of any magnitude. */
function rowOf(random: Random): number[] {
  const [least, greatest] = random.chance(0.8)
    ? [-3, 1]
    : random.pick([
        [-20, 2],
        [-44, -36],
        [1, 2],
      ]);
  return Array.from({ length: 4 }, () => Math.fround(random.magnitude(least, greatest)));
}

describe.each(activations.map((one) => [nameOf(one), one] as const))("%s", (name, activation) => {
  const one = checked(activation);

  test("of f64, rounded once, is inside of bounds that allow no more", () => {
    const random = Random.of(1, name);
    let worst = 0;
    for (let i = 0; i < cases(20_000, 700); i += 1) {
      const row = rowOf(random);
      const bounds = activationBounds(one, row.map(point), roundToNearest);
      exactly[name](row).forEach((value, k) => {
        // The formula of the test is not exact there.
        if (name === "sigmoid" && row[k] < -1) return;
        worst = Math.max(
          worst,
          errorOverBound(Math.fround(value), stored(bounds[k], roundToNearest)),
        );
      });
    }
    expect(worst).toBeLessThanOrEqual(1);
    expect(worst).toBeGreaterThan(0.95);
  });

  test("as a shader may compute it is inside of bounds that allow little more", () => {
    const random = Random.of(2, name);
    let [worst, worstDerivative] = [0, 0];
    for (let i = 0; i < cases(50_000, 1500); i += 1) {
      const row = rowOf(random);
      const gradients = rowOf(random);
      const shader = new ShaderActivations(random);
      const bounds = activationBounds(one, row.map(point), wgsl);
      shader.activate(one, row).forEach((value, k) => {
        const bound = stored(bounds[k], wgsl);
        if (!isAnything(bound)) worst = Math.max(worst, errorOverBound(value, bound));
      });
      const derivatives = chainRuleBounds(one, row.map(point), gradients.map(point), wgsl);
      shader.chainRule(one, row, gradients).forEach((value, k) => {
        const bound = stored(derivatives[k], wgsl);
        if (!isAnything(bound))
          worstDerivative = Math.max(worstDerivative, errorOverBound(value, bound));
      });
    }
    console.info(
      `${name}: error/bound ${worst.toFixed(3)}, of the chain rule ${worstDerivative.toFixed(3)}`,
    );
    expect(worst).toBeLessThanOrEqual(1);
    expect(worst).toBeGreaterThan(0.4);
    expect(worstDerivative).toBeLessThanOrEqual(1);
    expect(worstDerivative).toBeGreaterThan(0.3);
  });

  test("has the derivative that the chain rule has", () => {
    const random = Random.of(3, name);
    for (let i = 0; i < cases(2000, 200); i += 1) {
      const row = Array.from({ length: 4 }, () => random.between(-3, 3));
      const gradients = Array.from({ length: 4 }, () => random.between(-1, 1));
      const bounds = chainRuleBounds(one, row.map(point), gradients.map(point), roundToNearest);
      const h = 1e-6;
      row.forEach((x, k) => {
        const at = (value: number): number =>
          exactly[name](row.map((one, j) => (j === k ? value : one))).reduce(
            (sum, y, j) => sum + y * gradients[j],
            0,
          );
        const slope = (at(x + h) - at(x - h)) / (2 * h);
        expect(bounds[k].exact).toBeCloseTo(slope, 6);
      });
    }
  });
});

test("activations of large values neither overflow nor vanish too soon", () => {
  const boundOf = (activation: Activation, x: number) =>
    stored(activationBounds(checked(activation), [point(x)], roundToNearest)[0], roundToNearest);
  expect(boundOf("softplus", 1000)).toMatchObject({ exact: 1000 });
  expect(boundOf("softplus", -50).low).toBeGreaterThan(0);
  expect(boundOf("sigmoid", -80).low).toBeGreaterThan(0);
  expect(boundOf("sigmoid", 1000)).toMatchObject({ exact: 1 });
  expect(boundOf("exp", 100)).toMatchObject({ high: Infinity });
  expect(boundOf("exp", -200).high).toBeLessThan(2 ** -148);
});

test("bounds of shaders are those that the specification states", () => {
  const relative = (activation: Activation, x: number): number => {
    const { exact, high } = activationBounds(checked(activation), [point(x)], wgsl)[0];
    return (high - exact) / exact;
  };
  // One ULP is at most 2u.
  expect(relative("exp", 5) / u).toBeCloseTo(2 * (3 + 2 * 5), 3);
  // A part of the error of exp, then 2.5 ULP, and that of the sum.
  expect(relative("sigmoid", 20) / u).toBeCloseTo(5 + 2, 3);
  const { exact, high } = activationBounds(checked("softplus"), [point(0)], wgsl)[0];
  expect(exact).toBeCloseTo(Math.LN2, 15);
  expect(high - exact).toBeGreaterThan(2 ** -21);
  expect(high - exact).toBeLessThan(2 ** -21 * 1.8);
});

test("an f16 holds the nearest value, on a GPU either neighbor", () => {
  const between = 1 + 2 ** -11 + 2 ** -13;
  expect(float16Bound(point(between), roundToNearest)).toMatchObject({
    low: 1 + 2 ** -10,
    high: 1 + 2 ** -10,
  });
  expect(float16Bound(point(between), wgsl)).toEqual({
    low: 1,
    exact: 1 + 2 ** -10,
    high: 1 + 2 ** -10,
  });
  expect(float16Bound(point(1.5), wgsl)).toEqual(point(1.5));
  for (const model of [roundToNearest, wgsl])
    expect(float16Bound(point(-1e6), model)).toEqual(point(-65_504));
  expect(float16Bound(point(2 ** -20), wgsl)).toEqual({ low: 0, exact: 2 ** -20, high: 2 ** -20 });
  expect(readFloat16Bound(-(2 ** -20), wgsl).high).toBe(0);
  expect(readFloat16Bound(-(2 ** -20), roundToNearest)).toEqual(point(-(2 ** -20)));
});

test("integers in fixed point are exact up to 2²⁴", () => {
  const scale = 2 ** -20;
  expect(fixedPointBound(2 ** 24, scale, wgsl).exact).toBe(16);
  expect(fixedPointBound(0, scale, wgsl)).toMatchObject({ low: 0, high: 0 });
  const { low, exact, high } = fixedPointBound(2 ** 24 + 1, scale, roundToNearest);
  expect(exact - low).toBeCloseTo(16 * 2 * u, 9);
  expect(high - exact).toBeLessThan(16 * 2.1 * u);
});
