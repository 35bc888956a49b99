import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { plainUpdate } from "../src/backend/plain-update.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { finiteness } from "../src/optimizer/step-control/finiteness.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { encodeFloat16 } from "../src/backend/float16.js";
import { codeOf, failureOf } from "./support.js";

const backend = reference();
const shape = [3, 2];

/** Whether the kernel that devices look for such values with finds one. */
function found(gradients: readonly (readonly number[])[], mask?: Uint32Array): number {
  const nonFinite = backend.tensor([1], [7]);
  const updates = gradients.map((values) => {
    const gradient = backend.tensor([values.length, 1], values);
    const parameter = backend.tensor([values.length, 1]);
    const parts = { parameter, gradient, slots: [nonFinite], scalars: new Float64Array(0) };
    return { ...plainUpdate(parts), mask };
  });
  backend.compile(finiteness()).run(updates, updates.length);
  return nonFinite.view!()[0];
}

describe("the kernel for devices", () => {
  test.each([
    [[[1, 2, 3]], 0],
    [[[1, Number.NaN, 3]], 1],
    [
      [
        [1, 2],
        [0, -Infinity],
      ],
      1,
    ],
    [[[Infinity], [0, 5]], 1],
    [[[3e38, -3e38], [-0]], 0],
  ])("%j: %i", (gradients, expected) => {
    expect(found(gradients)).toBe(expected);
  });

  test("looks at selected rows, of which there may be none", () => {
    const bad = [[1, Number.NaN, 3]];
    expect(found(bad, Uint32Array.of(1, 0, 1))).toBe(0);
    expect(found(bad, Uint32Array.of(0, 1, 0))).toBe(1);
    expect(found(bad, Uint32Array.of(0, 0, 0))).toBe(0);
  });
});

describe("the host", () => {
  const values = [1, 2, 3, Number.NaN, 5, 6];
  const wide = [1, 2, 9, 3, Number.NaN, 9, 5, 6];
  const gradients: readonly (readonly [string, () => Float32Array | Tensor])[] = [
    ["an array", () => Float32Array.from(values)],
    ["a tensor", () => backend.tensor(shape, values)],
    [
      "a tensor of f16",
      () => backend.wrap(Uint16Array.from(values, encodeFloat16), { shape, dtype: "f16" }),
    ],
    [
      "a tensor with gaps between its rows",
      () => backend.wrap(Float32Array.from(wide), { shape, rowStride: 3 }),
    ],
  ];

  test.each(gradients)("looks at the selected rows of %s", (_, gradientOf) => {
    const w = backend.tensor(shape);
    const optimizer = createOptimizer(sgd(), { w }, { nonFinite: "throw" });
    const step = (rows?: Uint32Array) => (): void =>
      optimizer.step({ w: gradientOf() }, rows === undefined ? {} : { rows });
    expect(failureOf(step()).message).toContain("NaN at 3");
    expect(codeOf(step(Uint32Array.of(0, 1, 0)))).toBe("NON_FINITE");
    expect(optimizer.iterations).toBe(0);
    expect(step(Uint32Array.of(1, 0, 1))).not.toThrow();
    expect(optimizer.iterations).toBe(1);
  });
});

test("a sparse gradient and its parameter may be different parts of one memory", async () => {
  const memory = new Float32Array(12);
  memory.set([1, 2, 3, 4], 6);
  const words = new Uint32Array(memory.buffer, 40, 2);
  words.set([2, 0]);
  const expected = backend.tensor(shape);
  const inside = backend.wrap(memory.subarray(0, 6), { shape });
  for (const [w, values, indices] of [
    [inside, memory.subarray(6, 10), words],
    [expected, Float32Array.of(1, 2, 3, 4), Uint32Array.of(2, 0)],
  ] as const)
    for (const sparse of ["lazy", "dense"] as const)
      createOptimizer(sgd({ learningRate: 1 }), { w }, { sparse }).step({ w: { indices, values } });
  expect(await inside.read()).toEqual(await expected.read());
  expect([...memory.subarray(6, 10)]).toEqual([1, 2, 3, 4]);
});
