import { describe, expect, test } from "vitest";
import type { Backend, Update } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, codeOf } from "./support.js";

/** The reference backend, which records encoded work and can refuse it. */
function encoding(): { backend: Backend; encoded: unknown[]; refuse: (error: Error) => void } {
  const backend: Backend = reference();
  const encoded: unknown[] = [];
  let error: Error | undefined;
  const compile = backend.compile.bind(backend);
  backend.compile = (variant) => ({
    ...compile(variant),
    encode: (target: object, updates: readonly Update[], count: number) => {
      if (error !== undefined) throw error;
      encoded.push({ target, scalars: updates.slice(0, count).map((one) => [...one.scalars]) });
    },
  });
  return {
    backend,
    encoded,
    refuse: (one) => {
      error = one;
    },
  };
}

describe("encode", () => {
  test("passes the target and the current scalars on, and counts the step", () => {
    const { backend, encoded, refuse } = encoding();
    const w = backend.tensor([2]);
    const optimizer = createOptimizer(sgd({ learningRate: 0.5 }), { w });
    const target = {};
    const gradients = { w: backend.tensor([2]) };
    optimizer.encode(target, gradients);
    optimizer.learningRate = 0.25;
    optimizer.encode(target, gradients);
    // No decay, and the rate.
    expect(encoded).toEqual([
      { target, scalars: [[1, 0.5]] },
      { target, scalars: [[1, 0.25]] },
    ]);
    expect(optimizer.iterations).toBe(2);
    refuse(new Error("no"));
    expect(() => optimizer.encode(target, gradients)).toThrow("no");
    expect(optimizer.iterations).toBe(2);
  });

  test("arrays, and backends that cannot encode, are refused", () => {
    const { backend } = encoding();
    const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
    expect(codeOf(() => optimizer.encode({}, { w: new Float32Array(2) }))).toBe("INVALID_GRADIENT");
    expect(codeOf(() => optimizer.encode({}, {}))).toBe("INVALID_GRADIENT");
    const host = reference();
    const plain = createOptimizer(sgd(), { w: host.tensor([2]) });
    expect(codeOf(() => plain.encode({}, { w: host.tensor([2]) }))).toBe("UNSUPPORTED");
  });
});

describe("gradient", () => {
  test("returns the same tensor for a parameter until it is disposed", async () => {
    const backend = reference();
    const w = backend.tensor([2, 2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const gradient = optimizer.gradient("w");
    expect(gradient.shape).toEqual([2, 2]);
    expect(optimizer.gradient("w")).toBe(gradient);
    gradient.write([1, 2, 3, 4]);
    optimizer.step({ w: gradient });
    expect([...(await w.read())]).toEqual([-1, -2, -3, -4]);
    expect(codeOf(() => optimizer.gradient(anything("v")))).toBe("UNKNOWN_PARAMETER");
    optimizer.dispose();
    expect(gradient.freed).toBe(true);
    expect(codeOf(() => optimizer.gradient("w"))).toBe("DISPOSED");
  });
});

describe("memory", () => {
  test("pools and reserved sizes are given for slots and gradients", () => {
    const backend: Backend = reference();
    const calls: unknown[] = [];
    const tensor = backend.tensor.bind(backend);
    backend.tensor = (shape, values, pool) => {
      calls.push(["tensor", pool]);
      return tensor(shape, values);
    };
    backend.reserve = (sizes, pool) => {
      calls.push(["reserve", pool, ...sizes]);
    };
    const parameters = { a: tensor([2]), b: tensor([3]) };
    const optimizer = createOptimizer(adam(), parameters);
    expect(calls.splice(0)).toEqual([
      ["reserve", 2, 2, 3],
      ["reserve", 3, 2, 3],
      ["tensor", 2],
      ["tensor", 3],
      ["tensor", 2],
      ["tensor", 3],
    ]);
    optimizer.gradient("b");
    optimizer.gradient("a");
    expect(calls).toEqual([
      ["reserve", 1, 2, 3],
      ["tensor", 1],
      ["tensor", 1],
    ]);
  });

  test("if memory runs out, everything is freed and the optimizer is unchanged", () => {
    const backend: Backend = reference();
    const made: { freed: boolean }[] = [];
    const tensor = backend.tensor.bind(backend);
    const a = tensor([2]);
    const b = tensor([2]);
    const optimizer = createOptimizer(adam(), { a });
    backend.tensor = (shape, values) => {
      if (made.length === 1) throw new Error("full");
      const one = tensor(shape, values);
      made.push(one);
      return one;
    };
    expect(() => optimizer.add({ b })).toThrow("full");
    expect(made.map(({ freed }) => freed)).toEqual([true]);
    expect(optimizer.parameters).toEqual(["a"]);
  });
});
