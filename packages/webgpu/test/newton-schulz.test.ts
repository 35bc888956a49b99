import { defineRule, nonNegative, type Variant } from "@gradstep/core";
import { newtonSchulzBound, wgsl } from "@gradstep/conformance";
import { expect, test } from "vitest";
import { bindingLimitsOf } from "../src/planning/dispatch.js";
import { planSegmentDispatches, type Segment } from "../src/planning/segment-dispatches.js";
import { elementsPerTile, maxScalarSets, scalarSetLength } from "../src/shaders/kernel-layout.js";
import {
  emitNewtonSchulzKernel,
  newtonSchulzStages,
  newtonSchulzTiles,
} from "../src/shaders/newton-schulz-kernel.js";
import { bufferOf, describe, sharedDevice, wordsOf } from "./gpu.js";

function variantOf(coefficients: string): Variant {
  return defineRule({
    name: "iteration",
    hyperparameters: { learningRate: nonNegative(1), b: { default: -4.775 }, c: nonNegative(2) },
    perElement: `u = newtonSchulz(g, ${coefficients}) * learningRate`,
  }).rule.variant();
}

/** A number, and names of scalars. */
const mixed = variantOf("3.4445, b, c");

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly x: Float32Array;
  readonly b: number;
  readonly c: number;
}

function matrixOf(rows: number, columns: number, b = -4.775, c = 2.0315): Matrix {
  const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i + rows));
  const norm = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return { rows, columns, x: x.map((value) => value / norm), b: Math.fround(b), c: Math.fround(c) };
}

/** The results of an iteration on each matrix, in three dispatches. */
async function iterationsOf(
  matrices: readonly Matrix[],
  variant: Variant = mixed,
): Promise<Float32Array[]> {
  const [pass] = variant.schedule.passes.flatMap((one) =>
    one.kind === "newtonSchulz" ? [one] : [],
  );
  const device = await sharedDevice();
  let length = 0;
  const place = (count: number): number => {
    length += count;
    return length - count;
  };
  const starts = matrices.map(({ rows, columns }) => {
    const [size, square] = [rows * columns, Math.min(rows, columns) ** 2];
    return [place(size), place(square), place(square), place(size)];
  });
  const values = new Float32Array(length).fill(1234.5);
  for (const [i, { x }] of matrices.entries()) values.set(x, starts[i][0]);
  const buffer = bufferOf(device, values);
  const scalars = matrices.map(({ b, c }) =>
    Float64Array.from(variant.scalars, (name) => ({ b, c })[name] ?? 1),
  );
  const encoder = device.createCommandEncoder();
  for (const stage of newtonSchulzStages) {
    const segments = matrices.map(({ rows, columns }, i): Segment => ({
      spans: [{ buffer, low: 0, high: 4 * length }],
      count: newtonSchulzTiles(stage, rows, columns) * elementsPerTile,
      scalars: scalars[i],
      parametersAt: () => [...starts[i], rows, columns],
    }));
    const dispatches = planSegmentDispatches(segments, bindingLimitsOf(device));
    expect(dispatches).toHaveLength(1);
    const [{ table, tiles, scalarSets }] = dispatches;
    const uniforms = new Float32Array((scalarSetLength(variant) / 4) * maxScalarSets);
    scalarSets.forEach((set, i) => uniforms.set(set, (i * scalarSetLength(variant)) / 4));
    const code = emitNewtonSchulzKernel(stage, variant, pass.coefficients);
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const tableBuffer = bufferOf(device, new Float32Array(table.buffer));
    const uniformBuffer = device.createBuffer({ size: uniforms.byteLength, usage: 0x40 | 0x8 });
    device.queue.writeBuffer(uniformBuffer, 0, uniforms);
    const encoded = encoder.beginComputePass();
    encoded.setPipeline(pipeline);
    encoded.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [tableBuffer, uniformBuffer, buffer].map((one, binding) => ({
          binding,
          resource: { buffer: one },
        })),
      }),
    );
    encoded.dispatchWorkgroups(tiles);
    encoded.end();
  }
  device.queue.submit([encoder.finish()]);
  const words = await wordsOf(device, buffer);
  const all = new Float32Array(words.buffer);
  return matrices.map(({ x }, i) => all.slice(starts[i][3], starts[i][3] + x.length));
}

/** The error of a result over its bound. */
function errorOverBound({ rows, columns, x, b, c }: Matrix, result: Float32Array): number {
  const a = Math.fround(3.4445);
  const { exact, radius } = newtonSchulzBound(
    { exact: Float64Array.from(x), radius: Float64Array.of(0) },
    { matrices: 1, rows, columns },
    [a, b, c].map((value) => ({ exact: value, error: 0 })),
    wgsl,
  );
  const error = Math.sqrt(result.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0));
  return error / radius[0];
}

describe("a Newton–Schulz iteration", () => {
  test("matrices of many shapes in the same dispatches are inside the bound", async () => {
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
    ];
    const matrices = shapes.map(([rows, columns]) => matrixOf(rows, columns));
    const results = await iterationsOf(matrices);
    for (const [i, matrix] of matrices.entries())
      expect(errorOverBound(matrix, results[i])).toBeLessThan(1);
  });

  test("each matrix has the scalars of its group", async () => {
    const matrices = [
      matrixOf(5, 8, -4.775, 2.0315),
      matrixOf(5, 8, -0.5, 0),
      matrixOf(8, 5, 1, 1),
    ];
    const results = await iterationsOf(matrices);
    for (const [i, matrix] of matrices.entries())
      expect(errorOverBound(matrix, results[i])).toBeLessThan(1);
  });

  test("a = 1, b = 0 and c = 0 copies X", async () => {
    const x = matrixOf(5, 8).x.map((value) => value * 1e38);
    const matrix = { ...matrixOf(5, 8, 1), x };
    const [result] = await iterationsOf([matrix], variantOf("b, 0, 0"));
    expect(result).toEqual(x);
  });
});
