import { newtonSchulzBound, wgsl, type MatrixBound } from "@gradstep/conformance";
import { createOptimizer, defineRule, muon, nonNegative } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";

/** A rule whose update is an iteration on the gradient, or several: coefficients are numbers and hyperparameters. */
function ruleOf(...coefficients: readonly string[]) {
  const iterations = coefficients.map((one) => `x = newtonSchulz(x, ${one})`).join("\n");
  return defineRule({
    name: "iteration",
    hyperparameters: { learningRate: nonNegative(1), b: { default: -4.775 }, c: nonNegative(2) },
    perElement: `x = g\n${iterations}\nu = x * learningRate`,
  });
}

interface Matrix {
  readonly shape: readonly number[];
  readonly x: Float32Array;
  readonly b?: number;
  readonly c?: number;
}

function matrixOf(...shape: readonly number[]): Matrix {
  const length = shape.reduce((product, count) => product * count, 1);
  const x = Float32Array.from({ length }, (_, i) => Math.sin(i * i + shape[0]));
  const norm = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return { shape, x: x.map((value) => value / norm) };
}

/** The updates of parameters that are 0, from these gradients. */
async function updatesOf(
  matrices: readonly Matrix[],
  rule: ReturnType<typeof ruleOf>,
): Promise<Float32Array[]> {
  const backend = await newBackend();
  const tensors = matrices.map(({ shape }) => backend.tensor(shape));
  const byName = <T>(values: readonly T[]): Record<string, T> =>
    Object.fromEntries(values.map((value, i) => [`m${i}`, value]));
  const groups = matrices.flatMap(({ b, c }, i) =>
    b === undefined || c === undefined ? [] : [{ match: `m${i}`, b, c }],
  );
  const optimizer = createOptimizer(rule(), byName(tensors), { groups });
  optimizer.step(byName(matrices.map(({ x }) => x)));
  const results = await Promise.all(tensors.map((tensor) => tensor.read()));
  return results.map((values) => Float32Array.from(values, (value) => -value));
}

/** The error of the results of iterations over their bound. */
function errorOverBound(
  { shape: [rows, ...rest], x }: Matrix,
  iterations: readonly (readonly number[])[],
  result: Float32Array,
): number {
  const columns = rest.reduce((product, count) => product * count, 1);
  let bound: MatrixBound = { exact: Float64Array.from(x), radius: Float64Array.of(0) };
  for (const coefficients of iterations) {
    const rounded = coefficients.map((value) => ({ exact: Math.fround(value), error: 0 }));
    bound = newtonSchulzBound(bound, { matrices: 1, rows, columns }, rounded, wgsl);
  }
  const { exact, radius } = bound;
  const error = Math.sqrt(result.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0));
  return error / radius[0];
}

const jordan = [3.4445, -4.775, 2.0315];

describe("newtonSchulz", () => {
  test("matrices of many shapes are inside the bound", async () => {
    const shapes = [
      [1, 1],
      [1, 9],
      [9, 1],
      [4, 3],
      [31, 33],
      [33, 31],
      [32, 64],
      [64, 32],
      [70, 70],
      [20, 130],
      [130, 20],
      [5, 2, 3],
      [7],
    ];
    const matrices = shapes.map((shape) => matrixOf(...shape));
    const results = await updatesOf(matrices, ruleOf("3.4445, -4.775, 2.0315"));
    for (const [i, matrix] of matrices.entries())
      expect(errorOverBound(matrix, [jordan], results[i])).toBeLessThan(1);
  });

  test("coefficients are those of the group", async () => {
    const values = [
      [-4.775, 2.0315],
      [-0.5, 0],
      [1, 1],
    ];
    const matrices = values.map(([b, c]) => ({ ...matrixOf(5, 8), b, c }));
    const results = await updatesOf(matrices, ruleOf("3.4445, b, c"));
    for (const [i, [b, c]] of values.entries())
      expect(errorOverBound(matrices[i], [[3.4445, b, c]], results[i])).toBeLessThan(1);
  });

  test.each([1, 2, 3, 4])("%i in a row, each on the result of the one before", async (count) => {
    const matrices = [matrixOf(6, 9), matrixOf(9, 6)];
    const texts = Array<string>(count).fill("3.4445, -4.775, 2.0315");
    const results = await updatesOf(matrices, ruleOf(...texts));
    for (const [i, matrix] of matrices.entries()) {
      const iterations = Array<number[]>(count).fill(jordan);
      expect(errorOverBound(matrix, iterations, results[i])).toBeLessThan(1);
    }
  });

  test("a = 1, b = 0 and c = 0 keeps every value", async () => {
    const matrix = matrixOf(5, 8);
    const x = matrix.x.map((value) => value * 1e38);
    const [result] = await updatesOf([{ ...matrix, x }], ruleOf("1, 0, 0", "1, 0, 0"));
    expect(result).toEqual(x);
  });

  test("steps of muon are near those of the reference", async () => {
    const runs = await Promise.all(
      [await newBackend(), reference()].map(async (backend) => {
        const p = backend.tensor([9, 5], matrixOf(9, 5).x);
        const optimizer = createOptimizer(muon({ learningRate: 0.1 }), { p });
        for (let t = 0; t < 4; t += 1) optimizer.step({ p: matrixOf(9, 5).x });
        return p.read();
      }),
    );
    for (const [i, value] of runs[0].entries()) expect(value).toBeCloseTo(runs[1][i], 3);
  });

  test.each([1, 20])(
    "%i matrices: three dispatches per iteration, nothing created",
    async (count) => {
      const { device, counts } = countingDevice(await sharedDevice());
      const backend = webgpu({ device });
      const dispatchesOf = async (rule: ReturnType<typeof ruleOf>): Promise<number> => {
        const tensors = Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`m${i}`, backend.tensor([i + 2, 5])]),
        );
        const optimizer = createOptimizer(rule(), tensors);
        const gradients = Object.fromEntries(
          Object.keys(tensors).map((name) => [name, optimizer.gradient(name)]),
        );
        optimizer.step(gradients);
        const warm = { ...counts };
        optimizer.step(gradients);
        const made = Object.keys(counts).filter((key) => /^create(?!CommandEncoder)/.test(key));
        for (const key of [...made, "mapAsync"])
          expect([key, counts[key]]).toEqual([key, warm[key]]);
        const counting = countingEncoder(device.createCommandEncoder());
        optimizer.encode(counting.encoder, gradients);
        return counting.counts.dispatches;
      };
      const [one, three] = [
        await dispatchesOf(ruleOf("1, b, c")),
        await dispatchesOf(ruleOf("1, b, c", "1, b, c", "1, b, c")),
      ];
      expect(three - one).toBe(6);
      await backend.ready();
    },
  );
});
