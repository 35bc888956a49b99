import {
  adam,
  chain,
  createOptimizer,
  defineRule,
  maxNorm,
  nonNegative,
  unitNorm,
  variantOf,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { everyNth } from "../../../testing/cases.js";
import { countingEncoder } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { fusedSources, rowFeatures } from "./kernel-sources.js";
import { Random } from "./random.js";

/** A second moment per row, from the mean over the row; the update is limited by the largest of the row. */
const rowMoments = defineRule({
  name: "rowMoments",
  hyperparameters: { learningRate: nonNegative(0.1) },
  slots: { m: 0, v: { extent: "row", initial: 0 } },
  perElement: `
    v = v + (meanRow(g * g) - v) * 0.1
    m = m + (g / (sqrt(v) + 0.001) - m) * 0.5
    u = m / max(maxRow(abs(m)), 1) * learningRate
  `,
});

/** A sum, and a maximum of values that are all negative; two passes read the gradient, and the last one is over rows. */
const rowExtremes = (matrices: "first" | "last"): OptimizerSpec =>
  defineRule({
    name: "rowExtremes",
    matrices,
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: { m: 0, v: { extent: "row", initial: 0 }, largest: { extent: "row", initial: 0 } },
    perElement: `
      v = v * 0.5 + meanRow(g * g)
      m = m * 0.5 + g / (sqrt(v) + 0.5)
      u = (m - maxRow(m - 16)) * learningRate
      largest = maxRow(u)
    `,
  })();

const specs: readonly (readonly [string, OptimizerSpec])[] = [
  ["unit norm", chain(adam({ learningRate: 0.1 }), unitNorm({ unitNormAxis: "row" }))],
  ["largest norm", chain(adam({ learningRate: 0.1 }), maxNorm({ maxNormAxis: "row" }))],
  ["moments per row", rowMoments()],
];

describe("passes of short rows in one kernel", () => {
  test("all layouts compile", async () => {
    const device = await sharedDevice();
    for (const [, spec] of specs) {
      const sources = fusedSources(variantOf(spec), rowFeatures);
      expect(sources.length).toBe(rowFeatures.filter(({ list }) => list !== true).length);
      for (const code of sources) {
        const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
        expect(messages.map(({ message }) => `${message}\n${code}`)).toEqual([]);
      }
    }
  });

  test.each(
    everyNth(
      specs.flatMap(([name, spec]) =>
        ([undefined, "keep", "decay", "zero"] as const).flatMap((unselectedRows) =>
          [1, 4, 13, 16, 17].map((columns) => ({ name, spec, unselectedRows, columns })),
        ),
      ),
      6,
    ),
  )(
    "$name, $columns columns, unselected rows: $unselectedRows",
    async ({ spec, unselectedRows, columns }) => {
      const backend = await newBackend();
      const rows = 150;
      const stride = columns + 3;
      const random = new Random(columns);
      const start = random.values(rows * columns);
      const structs = new Float32Array(rows * stride).fill(7);
      start.forEach((value, i) => {
        structs[Math.floor(i / columns) * stride + 2 + (i % columns)] = value;
      });
      const buffer = bufferOf(backend.device, structs);
      const shape = [rows, columns];
      const w = backend.wrap(buffer, { shape, offset: 2, rowStride: stride });
      const copied = backend.tensor(shape);
      const optimizer = createOptimizer(spec, { w }, { copies: { w: copied } });
      const exact = reference();
      const expectedW: Tensor = exact.tensor(shape, start);
      const expected = createOptimizer(spec, { w: expectedW });
      const rowsOf = (step: number): Uint32Array =>
        Uint32Array.from({ length: rows }, (_, row) => (row + step) % 3);
      const options = (step: number): object =>
        unselectedRows === undefined ? {} : { rows: rowsOf(step), unselectedRows };
      for (let step = 0; step < 4; step += 1) {
        const gradient = random.values(rows * columns);
        optimizer.step({ w: gradient }, options(step));
        expected.step({ w: gradient }, options(step));
      }
      const [got, want, copy] = await Promise.all([w.read(), expectedW.read(), copied.read()]);
      const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
        Array.from(a).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i])), 0);
      expect(apart(got, want)).toBeLessThan(2e-5);
      const [states, wanted] = await Promise.all([optimizer.state(), expected.state()]);
      for (const [slot, values] of Object.entries(wanted.slots.w))
        expect(apart(states.slots.w[slot], values)).toBeLessThan(2e-5);
      const isUnchanged = (row: number): boolean =>
        (unselectedRows === "keep" || unselectedRows === "decay") && rowsOf(3)[row] === 0;
      const stale = Array.from(copy).filter(
        (value, i) => !isUnchanged(Math.floor(i / columns)) && value !== got[i],
      );
      expect(stale).toEqual([]);
      const words = new Float32Array((await wordsOf(backend.device, buffer)).buffer);
      const gaps = words.filter((_, i) => i % stride < 2 || i % stride === stride - 1);
      expect(gaps.every((value) => value === 7)).toBe(true);
      const encoder = backend.device.createCommandEncoder();
      const counted = countingEncoder(encoder);
      optimizer.encode(counted.encoder, { w: optimizer.gradient("w") }, { clear: true });
      backend.device.queue.submit([encoder.finish()]);
      expect(counted.counts.dispatches === 1).toBe(columns <= 16);
      await backend.ready();
    },
  );

  test.each<readonly [readonly number[], "first" | "last"]>([
    [[40, 3], "first"],
    [[40, 16], "first"],
    [[40, 17], "first"],
    // Rows of a matrix that are not rows of the tensor.
    [[3, 3, 5], "last"],
    [[1, 4, 4], "last"],
  ])("scaled gradients of shape %o that are cleared, with a mask", async (shape, matrices) => {
    const backend = await newBackend();
    const random = new Random(7);
    const size = shape.reduce((product, length) => product * length, 1);
    const start = random.values(size);
    const exact = reference();
    const [w, expectedW] = [backend.tensor(shape, start), exact.tensor(shape, start)];
    const optimizer = createOptimizer(rowExtremes(matrices), { w });
    const expected = createOptimizer(rowExtremes(matrices), { w: expectedW });
    const scale = backend.tensor([], [0.25]);
    for (let step = 0; step < 3; step += 1) {
      const values = random.values(size).map((value) => 4 * value);
      const gradient = backend.tensor(shape, values);
      const rows = Uint32Array.from({ length: shape[0] }, (_, row) => (row + step) % 3);
      optimizer.step({ w: gradient }, { scale, rows, clear: true });
      expected.step({ w: values.map((value) => value / 4) }, { rows });
      expect(await gradient.read()).toEqual(new Float32Array(size));
      const [got, want] = [await w.read(), await expectedW.read()];
      got.forEach((value, i) => expect(Math.abs(value - want[i])).toBeLessThan(1e-5));
    }
    await backend.ready();
  });

  test("a scale and a skip flag on the device", async () => {
    const backend = await newBackend();
    const random = new Random(5);
    const start = random.values(40);
    const spec = chain(adam({ learningRate: 0.1 }), unitNorm({ unitNormAxis: "row" }));
    const [w, plain] = [backend.tensor([10, 4], start), backend.tensor([10, 4], start)];
    const [optimizer, expected] = [
      createOptimizer(spec, { w }),
      createOptimizer(spec, { w: plain }),
    ];
    const values = random.values(40);
    const gradient = backend.tensor([10, 4], values, 1);
    const scale = backend.tensor([], [0.5]);
    const flag = bufferOf(backend.device, Uint32Array.of(1));
    const skip = backend.wrap(flag, { shape: [], dtype: "u32" });
    optimizer.step({ w: gradient }, { scale });
    expected.step({ w: values.map((value) => value * 0.5) });
    expect(await w.read()).toEqual(await plain.read());
    optimizer.step({ w: gradient }, { skip, clear: true });
    expect(await w.read()).toEqual(await plain.read());
    expect(await gradient.read()).toEqual(new Float32Array(40));
    await backend.ready();
  });
});
