import { describe, expect, test } from "vitest";
import { createOptimizer, muon } from "../src/index.js";
import { oracle } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { numbers } from "./support.js";

/** The first update of a matrix of zeros, divided by the learning rate. */
async function update(
  spec: OptimizerSpec,
  shape: readonly number[],
  gradient: ArrayLike<number>,
): Promise<number[]> {
  const backend = oracle();
  const p = backend.tensor(shape);
  createOptimizer(spec, { p }).step({ p: Float64Array.from(gradient) });
  const { learningRate } = spec.hyperparameters;
  return Array.from(await p.read(), (value) => -value / Number(learningRate));
}

/** A matrix with these singular values, whose singular vectors are those of the axes. */
function diagonal(values: readonly number[], columns = values.length): Float64Array {
  const matrix = new Float64Array(values.length * columns);
  values.forEach((value, i) => {
    matrix[i * columns + i] = value;
  });
  return matrix;
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function near(values: readonly number[], digits = 12): readonly unknown[] {
  return values.map((value) => expect.closeTo(value, digits) as unknown);
}

/** What the iterations make of a singular value. */
function iterated(sigma: number, polynomials: readonly (readonly number[])[]): number {
  return polynomials.reduce((x, [a, b, c]) => a * x + b * x ** 3 + c * x ** 5, sigma);
}

const jordan = [3.4445, -4.775, 2.0315];
const singular = [3, 2, 0.5, 0.1];
const scaled = singular.map(
  (value) => (value / (norm(singular.map((one) => one * 1.95)) + 1e-7)) * 1.95,
);

describe("muon", () => {
  test.each([0, 1, 5, 10])("%d iterations change only the singular values", async (nsSteps) => {
    const spec = muon({ nsSteps, adjust: "none" });
    const polynomials = Array<number[]>(nsSteps).fill(jordan);
    const expected = scaled.map((sigma) => iterated(sigma, polynomials));
    expect(await update(spec, [4, 4], diagonal(singular))).toEqual(near([...diagonal(expected)]));
    expect(await update(spec, [4, 7], diagonal(singular, 7))).toEqual(
      near([...diagonal(expected, 7)]),
    );
  });

  test("Polar Express brings singular values nearer to 1 with every iteration", async () => {
    let farthest = Infinity;
    for (const nsSteps of [2, 4, 6, 8]) {
      const spec = muon({ nsSteps, adjust: "none", polynomials: "polar-express" });
      const values = await update(spec, [4, 4], diagonal(singular));
      const distances = singular.map((_, i) => Math.abs(values[5 * i] - 1));
      expect(Math.max(...distances)).toBeLessThan(farthest);
      farthest = Math.max(...distances);
    }
    expect(farthest).toBeLessThan(1e-3);
  });

  test("adjust scales by the shape", async () => {
    const gradient = numbers(12, 3);
    for (const shape of [
      [2, 6],
      [6, 2],
      [6, 1, 2],
    ]) {
      const [rows, columns] = [shape[0], 12 / shape[0]];
      const plain = await update(muon({ adjust: "none" }), shape, gradient);
      const factors = {
        rms: Math.sqrt(6) * 0.3,
        original: Math.sqrt(Math.max(1, rows / columns)),
        transposed: Math.sqrt(Math.max(1, columns / rows)),
      };
      for (const adjust of ["rms", "original", "transposed"] as const) {
        const got = await update(muon({ adjust, rmsRate: 0.3 }), shape, gradient);
        expect(got).toEqual(near(plain.map((value) => value * factors[adjust])));
      }
    }
  });

  test("forms of the momentum differ only in the scale of m", async () => {
    for (const nesterov of [true, false]) {
      const runs = await Promise.all(
        (["keras", "torch"] as const).map(async (momentumForm) => {
          const p = oracle().tensor([3, 4]);
          const optimizer = createOptimizer(muon({ momentumForm, nesterov, epsilon: 1e-30 }), {
            p,
          });
          for (let t = 0; t < 3; t += 1) optimizer.step({ p: Float64Array.from(numbers(12, t)) });
          const { slots } = await optimizer.state();
          return { p: [...(await p.read())], m: [...slots.p.m] };
        }),
      );
      expect(runs[0].p).toEqual(near(runs[1].p));
      expect(runs[0].m.map((value) => value * 0.05)).toEqual(near(runs[1].m));
    }
  });

  test.each(["keras", "torch", "optax"] as const)(
    "no gradient, no update: %s",
    async (momentumForm) => {
      const got = await update(muon({ momentumForm }), [2, 3], new Float64Array(6));
      expect(got.map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
    },
  );

  test("second moments make rows or columns equal, and keep the norm", async () => {
    const gradient = numbers(12, 9);
    const plain = await update(muon(), [3, 4], gradient);
    const rows = await update(muon({ secondMoments: "row" }), [3, 4], gradient);
    const columns = await update(muon({ secondMoments: "column" }), [3, 4], gradient);
    for (const [values, lengths] of [
      [rows, [0, 4, 8].map((from) => norm(rows.slice(from, from + 4)))],
      [columns, [0, 1, 2, 3].map((i) => norm([0, 4, 8].map((from) => columns[from + i])))],
    ]) {
      expect(norm(values)).toBeCloseTo(norm(plain), 8);
      expect(lengths).toEqual(near(Array<number>(lengths.length).fill(lengths[0]), 8));
    }
  });

  test("the average of the second moments decays with beta2", async () => {
    const p = oracle().tensor([2, 2]);
    const optimizer = createOptimizer(muon({ secondMoments: "row", beta2: 0.75, epsilon: 1e-30 }), {
      p,
    });
    const slot = async (): Promise<number[]> => [...(await optimizer.state()).slots.p.v];
    optimizer.step({ p: Float64Array.of(1, 0, 0, 1) });
    const [first] = await slot();
    optimizer.step({ p: new Float64Array(4) });
    const [second] = await slot();
    // The update is the same in both steps: only its direction counts.
    expect(second).toBeCloseTo(first * (1 + 0.75), 12);
  });
});
