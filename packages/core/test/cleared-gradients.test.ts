import { describe, expect, test } from "vitest";
import { createOptimizer, sgd } from "../src/index.js";
import { oracle } from "../src/reference.js";
import { failureOf } from "./support.js";

function make() {
  const backend = oracle();
  const [a, b] = [backend.tensor([2]), backend.tensor([2])];
  const optimizer = createOptimizer(
    sgd({ learningRate: 1 }),
    { a, b },
    { groups: [{ match: "b", rule: sgd({ learningRate: 2 }) }] },
  );
  return { backend, a, b, optimizer };
}

describe("one gradient of two parameters", () => {
  test("is read by both", async () => {
    const { backend, a, b, optimizer } = make();
    const gradient = backend.tensor([2], [1, 2]);
    optimizer.step({ a: gradient, b: gradient });
    expect([...(await a.read()), ...(await b.read())]).toEqual([-1, -2, -2, -4]);
  });

  test("cannot be cleared, since one of them would read zeros", async () => {
    const { backend, a, b, optimizer } = make();
    const gradient = backend.tensor([2], [1, 2]);
    const others = { a: backend.tensor([2], [1, 1]), b: backend.tensor([2], [1, 1]) };
    optimizer.step(others, { clear: true });
    for (let call = 0; call < 2; call += 1) {
      const { code, message } = failureOf(() =>
        optimizer.step({ a: gradient, b: gradient }, { clear: true }),
      );
      expect(code).toBe("OVERLAPPING_MEMORY");
      expect(message).toContain('"gradient of a" and "gradient of b" share memory');
    }
    expect(optimizer.iterations).toBe(1);
    expect([...(await gradient.read())]).toEqual([1, 2]);
    optimizer.step({ a: gradient, b: others.b }, { clear: true });
    expect([...(await a.read()), ...(await b.read())]).toEqual([-2, -3, -2, -2]);
    expect([...(await gradient.read())]).toEqual([0, 0]);
  });

  test("with some bytes in common cannot be cleared", () => {
    const { backend, optimizer } = make();
    const values = new Float64Array(3);
    const gradients = {
      a: backend.wrap(values, { shape: [2] }),
      b: backend.wrap(values, { shape: [2], offset: 1 }),
    };
    const { code } = failureOf(() => optimizer.step(gradients, { clear: true }));
    expect(code).toBe("OVERLAPPING_MEMORY");
    const rows = new Float64Array(4);
    const interleaved = {
      a: backend.wrap(rows, { shape: [2], rowStride: 2 }),
      b: backend.wrap(rows, { shape: [2], rowStride: 2, offset: 1 }),
    };
    optimizer.step(interleaved, { clear: true });
  });

  test("can be cleared if it is an array, which the host clears last", async () => {
    const { a, b, optimizer } = make();
    const gradient = Float64Array.of(1, 2);
    optimizer.step({ a: gradient, b: gradient }, { clear: true });
    expect([...(await a.read()), ...(await b.read())]).toEqual([-1, -2, -2, -4]);
    expect([...gradient]).toEqual([0, 0]);
  });
});

test("the gradients of a skipped step are cleared, with a scale, too", async () => {
  const backend = oracle();
  const p = backend.tensor([2], [1, 2]);
  const optimizer = createOptimizer(sgd(), { p }, { nonFinite: "skip" });
  for (const scale of [1, 0.5]) {
    const gradient = backend.tensor([2], [Infinity, 3]);
    optimizer.step({ p: gradient }, { clear: true, scale });
    expect([...(await gradient.read())]).toEqual([0, 0]);
  }
  expect(optimizer.skippedSteps).toBe(2);
  expect([...(await p.read())]).toEqual([1, 2]);
});
