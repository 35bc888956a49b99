import type { Dimensions } from "@gradstep/core";
import { newtonSchulz } from "@gradstep/core/internal";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { roundToNearest, wgsl, type ErrorModel } from "../src/bounds/error-model.js";
import { newtonSchulzBound, type MatrixBound } from "../src/bounds/newton-schulz-bound.js";
import { roundDown, roundUp } from "../src/simulated-gpu/float-neighbors.js";
import { Random } from "../src/suite/random/random.js";

const coefficients = [3.4445, -4.775, 2.0315].map((value) => ({
  exact: Math.fround(value),
  error: 0,
}));
const exactCoefficients = coefficients.map(({ exact }) => exact);

function pointBound(values: ArrayLike<number>): MatrixBound {
  return { exact: Float64Array.from(values), radius: Float64Array.of(0) };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a, (value, i) => (value - b[i]) ** 2).reduce((x, y) => x + y, 0));
}

/** A matrix whose Frobenius norm is 1, as in front of the first iteration. */
function matrixOf(random: Random): { x: Float32Array; dimensions: Dimensions } {
  const [rows, columns] = [random.integer(1, 12), random.integer(1, 12)];
  const x = Float32Array.from({ length: rows * columns }, () => random.between(-1, 1));
  const norm = distance(x, new Float32Array(x.length));
  return { x: x.map((value) => value / norm), dimensions: { matrices: 1, rows, columns } };
}

/** The largest error over its bound, in five iterations with this rounding of each operation. */
function worst(model: ErrorModel, roundingOf: (random: Random) => (value: number) => number) {
  let ratio = 0;
  for (let i = 0; i < cases(2000, 100); i += 1) {
    const random = Random.of(seed, "newton-schulz", i);
    const { x, dimensions } = matrixOf(random);
    let bound = pointBound(x);
    for (let k = 0; k < 5; k += 1) {
      bound = newtonSchulzBound(bound, dimensions, coefficients, model);
      newtonSchulz(x, x, dimensions, exactCoefficients, roundingOf(random));
      ratio = Math.max(ratio, distance(x, bound.exact) / bound.radius[0]);
    }
    // A bound that allows anything would show nothing.
    expect(bound.radius[0]).toBeLessThan(0.1);
  }
  return ratio;
}

test(`five iterations in f32 are inside (seed ${seed})`, () => {
  expect(worst(roundToNearest, () => Math.fround)).toBeLessThan(1);
});

test(`so are operations that round to either neighbor, and fused ones (seed ${seed})`, () => {
  const ratio = worst(wgsl, (random) => (value) => {
    const choice = random.integer(0, 4);
    if (choice === 0) return value;
    return choice < 3 ? roundUp(value) : roundDown(value);
  });
  expect(ratio).toBeLessThan(1);
});

test(`so is what all operations in one direction add up to (seed ${seed})`, () => {
  expect(worst(wgsl, () => roundUp)).toBeLessThan(1);
  expect(
    worst(wgsl, () => (value) => (value > 0 ? roundUp(value) : roundDown(value))),
  ).toBeLessThan(1);
});

test("an error of X is passed on in the direction in which it grows most", () => {
  // Around 0 the slope is a, its largest; an error of a singular value that is 0 grows by nearly that.
  const x = Float64Array.of(1, 0, 0, 0);
  const error = 1e-3;
  const bound = newtonSchulzBound(
    { exact: x, radius: Float64Array.of(error) },
    { matrices: 1, rows: 2, columns: 2 },
    coefficients,
    roundToNearest,
  );
  const moved = new Float64Array(4);
  const dimensions = { matrices: 1, rows: 2, columns: 2 };
  newtonSchulz(Float64Array.of(1, 0, 0, error), moved, dimensions, exactCoefficients, (v) => v);
  const ratio = distance(moved, bound.exact) / bound.radius[0];
  expect(ratio).toBeLessThan(1);
  expect(ratio).toBeGreaterThan(0.9);
});

test("values far outside allow anything; an iteration that computes nothing adds nothing", () => {
  const dimensions = { matrices: 1, rows: 1, columns: 2 };
  const huge = newtonSchulzBound(pointBound([1e30, 1]), dimensions, coefficients, roundToNearest);
  expect(huge.radius[0]).toBe(Infinity);
  const identity = [1, 0, 0].map((exact) => ({ exact, error: 0 }));
  const x = pointBound([1e30, 1]);
  expect(newtonSchulzBound(x, dimensions, identity, wgsl)).toEqual(x);
});

test("matrices of a batch have radii of their own", () => {
  const values = [0.6, 0.8, 0.1, 0];
  const batch = newtonSchulzBound(
    { exact: Float64Array.from(values), radius: Float64Array.of(0, 1e-4) },
    { matrices: 2, rows: 1, columns: 2 },
    coefficients,
    roundToNearest,
  );
  const [first, second] = [values.slice(0, 2), values.slice(2)].map((part, i) =>
    newtonSchulzBound(
      { exact: Float64Array.from(part), radius: Float64Array.of([0, 1e-4][i]) },
      { matrices: 1, rows: 1, columns: 2 },
      coefficients,
      roundToNearest,
    ),
  );
  expect([...batch.radius]).toEqual([first.radius[0], second.radius[0]]);
  expect([...batch.exact]).toEqual([...first.exact, ...second.exact]);
});
