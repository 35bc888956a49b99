import { describe, expect, test } from "vitest";
import type { Backend, Update } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { anything, codeOf, failureOf } from "./support.js";

/** The reference, and the parameters' first values in each run of a kernel. */
function watched() {
  const backend: Backend = reference();
  const runs: number[] = [];
  const encodings: number[] = [];
  const compile = backend.compile.bind(backend);
  backend.compile = (variant) => {
    const kernel = compile(variant);
    return {
      ...kernel,
      run: (updates: readonly Update[], count: number) => {
        runs.push(count);
        kernel.run(updates, count);
      },
      encode: (_target: object, _updates: readonly Update[], count: number) => {
        encodings.push(count);
      },
    };
  };
  return { backend, runs, encodings };
}

const one = (value = 1): Float32Array => Float32Array.of(value);

describe("gradients in another order than the parameters", () => {
  test("may be of some parameters alone: the others stay", async () => {
    const { backend, runs } = watched();
    const tensors = { a: backend.tensor([1]), b: backend.tensor([1]), c: backend.tensor([1]) };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), tensors);
    optimizer.step({ a: one(), b: one(2), c: one(3) });
    optimizer.step({ c: one(30), a: one(10) });
    optimizer.step({ c: one(300), b: undefined, a: null });
    expect(runs).toEqual([3, 2, 1]);
    const values = await Promise.all(Object.values(tensors).map((tensor) => tensor.read()));
    expect(values.map(([value]) => value)).toEqual([-11, -2, -333]);
  });

  test("that nobody has are named, and only those", () => {
    const { backend } = watched();
    const optimizer = createOptimizer(sgd(), { a: backend.tensor([1]), b: backend.tensor([1]) });
    const error = failureOf(() =>
      optimizer.step(anything({ y: one(), b: one(), x: one(), a: one() })),
    );
    expect(error.code).toBe("UNKNOWN_PARAMETER");
    expect(error.message).toMatch(/\by, x;/);
    expect(optimizer.iterations).toBe(0);
  });
});

describe("a step at which a group is not stepped", () => {
  const make = () => {
    const { backend, runs, encodings } = watched();
    const tensors = { w: backend.tensor([1]), s: backend.tensor([1]) };
    const groups = [{ match: "s", every: 2 }];
    return { backend, runs, encodings, optimizer: createOptimizer(sgd(), tensors, { groups }) };
  };

  test("counts with a gradient of that group alone, and runs nothing", () => {
    const { optimizer, runs } = make();
    optimizer.step({ s: one() });
    expect(runs).toEqual([]);
    expect([optimizer.iterations, optimizer.groups[0].iterations]).toEqual([1, 0]);
    optimizer.step({ s: one() });
    expect(runs).toEqual([1]);
    expect([optimizer.iterations, optimizer.groups[0].iterations]).toEqual([2, 1]);
  });

  test("needs a gradient of the others", () => {
    const { optimizer } = make();
    expect(codeOf(() => optimizer.step({}))).toBe("INVALID_GRADIENT");
    expect(codeOf(() => optimizer.step({ w: undefined, s: null }))).toBe("INVALID_GRADIENT");
    expect(optimizer.iterations).toBe(0);
  });

  test("encodes nothing", () => {
    const { backend, optimizer, encodings } = make();
    optimizer.encode({}, { s: backend.tensor([1]) });
    expect(encodings).toEqual([]);
    optimizer.encode({}, { s: backend.tensor([1]), w: backend.tensor([1]) });
    expect(encodings).toEqual([2]);
  });
});

describe("encode", () => {
  test("without parameters has no gradient to take", () => {
    expect(codeOf(() => createOptimizer(sgd(), {}).encode({}, {}))).toBe("INVALID_GRADIENT");
  });

  test("takes masks that are tensors, and no arrays", () => {
    const { backend, encodings } = watched();
    const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
    const gradients = { w: backend.tensor([2]) };
    const mask = Uint32Array.of(1, 0);
    for (const rows of [mask, { w: mask }])
      expect(codeOf(() => optimizer.encode({}, gradients, { rows }))).toBe("INVALID_MEMORY");
    expect(encodings).toEqual([]);
    const onDevice = laidOut(backend, { shape: [2], dtype: "u32" });
    optimizer.encode({}, gradients, { rows: onDevice });
    optimizer.encode({}, gradients, { rows: { w: onDevice } });
    expect(encodings).toEqual([1, 1]);
    expect(optimizer.iterations).toBe(2);
  });
});
