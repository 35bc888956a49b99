import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { adam } from "../src/rules/adam.js";
import { codeOf } from "./support.js";

type Call =
  | { readonly reserve: readonly number[]; readonly pool: number | undefined }
  | { readonly tensor: readonly number[]; readonly pool: number | undefined };

/** The reference backend, which records allocations. */
function recording(limit = Infinity) {
  const backend = reference() as Backend;
  const calls: Call[] = [];
  const made: Tensor[] = [];
  const tensor = backend.tensor.bind(backend);
  backend.reserve = (sizes, pool) => {
    calls.push({ reserve: sizes, pool });
  };
  const allocate: Backend["tensor"] = (shape, values, pool) => {
    if (made.length >= limit) throw new Error("full");
    calls.push({ tensor: shape, pool });
    const one = tensor(shape, values);
    made.push(one);
    return one;
  };
  return { backend, calls, made, start: () => (backend.tensor = allocate) };
}

describe("slots", () => {
  test("are reserved slot by slot, each in its own pool", () => {
    const { backend, calls, start } = recording();
    const parameters = { a: backend.tensor([2, 3]), b: backend.tensor([4]) };
    start();
    createOptimizer(adam({ amsgrad: true }), parameters);
    expect(calls).toEqual([
      ...[2, 3, 4].map((pool) => ({ reserve: [6, 4], pool })),
      ...[[2, 3], [4]].flatMap((tensor) => [2, 3, 4].map((pool) => ({ tensor, pool }))),
    ]);
  });

  test("start at the value of their group, in every element", async () => {
    const { backend } = recording();
    const parameters = { a: backend.tensor([2]), b: backend.tensor([3]) };
    const optimizer = createOptimizer(adagrad({ initialAccumulatorValue: 0.5 }), parameters, {
      groups: [{ match: "b", initialAccumulatorValue: 0 }],
    });
    const { slots } = await optimizer.state();
    expect([[...slots.a.a], [...slots.b.a]]).toEqual([
      [0.5, 0.5],
      [0, 0, 0],
    ]);
  });

  test.each([0, 1, 2, 3])("are all freed if memory runs out after %i of them", (room) => {
    const { backend, made, start } = recording(room);
    const parameters = { a: backend.tensor([2]), b: backend.tensor([3]) };
    const optimizer = createOptimizer(adam(), {});
    start();
    expect(() => optimizer.add(parameters)).toThrow("full");
    expect(made.map(({ freed }) => freed)).toEqual(new Array(room).fill(true));
    expect(optimizer.parameters).toEqual([]);
    expect(Object.values(parameters).map(({ freed }) => freed)).toEqual([false, false]);
  });
});

describe("gradients", () => {
  test("of all parameters are reserved when the first one is needed, in the gradient pool", () => {
    const { backend, calls, start } = recording();
    const optimizer = createOptimizer(adam(), {
      a: backend.tensor([2, 3]),
      b: backend.tensor([4]),
    });
    start();
    calls.length = 0;
    expect(optimizer.gradient("b").shape).toEqual([4]);
    optimizer.gradient("b");
    optimizer.gradient("a");
    expect(calls).toEqual([
      { reserve: [6, 4], pool: 1 },
      { tensor: [4], pool: 1 },
      { tensor: [2, 3], pool: 1 },
    ]);
    // Only for later parameters: memory for the others is reserved.
    const c = backend.tensor([5]);
    calls.length = 0;
    const grown = optimizer.add({ c });
    const slots = calls.splice(0);
    expect(slots.filter((call) => "reserve" in call)).toEqual(
      [2, 3].map((pool) => ({ reserve: [5], pool })),
    );
    grown.step({ c: new Float32Array(5) });
    expect(calls).toEqual([{ reserve: [5], pool: 1 }]);
    grown.step({ c: new Float32Array(5) });
    expect(calls).toHaveLength(1);
  });

  test("of removed parameters are not counted as reserved", () => {
    const { backend, calls, start } = recording();
    const optimizer = createOptimizer(adam(), {
      a: backend.tensor([2]),
      b: backend.tensor([3]),
      c: backend.tensor([4]),
    });
    start();
    optimizer.gradient("a");
    optimizer.remove("b");
    calls.length = 0;
    const d = backend.tensor([5]);
    const grown = optimizer.add({ d });
    calls.length = 0;
    grown.gradient("d");
    expect(calls).toEqual([
      { reserve: [5], pool: 1 },
      { tensor: [5], pool: 1 },
    ]);
    expect(codeOf(() => optimizer.gradient("b"))).toBe("UNKNOWN_PARAMETER");
  });

  test("of a parameter that was removed before it had one are not counted", () => {
    const { backend, calls, start } = recording();
    const optimizer = createOptimizer(adam(), { a: backend.tensor([2]), b: backend.tensor([3]) });
    start();
    optimizer.gradient("a");
    optimizer.add({ c: backend.tensor([4]) }).remove("c");
    const grown = optimizer.add({ d: backend.tensor([5]) });
    calls.length = 0;
    grown.gradient("d");
    expect(calls).toEqual([
      { reserve: [5], pool: 1 },
      { tensor: [5], pool: 1 },
    ]);
  });
});

test("dispose frees slots, gradients and staging, and no parameters", () => {
  const { backend, made, start } = recording();
  const w = backend.tensor([2]);
  const staged: Tensor[] = [];
  const staging = backend.staging.bind(backend);
  backend.staging = (shape) => {
    const one = staging(shape);
    staged.push(one);
    return one;
  };
  start();
  const optimizer = createOptimizer(adam(), { w });
  const gradient = optimizer.gradient("w");
  optimizer.step({ w: Float32Array.of(1, 2) });
  optimizer.step({ w: Float32Array.of(1, 2) });
  expect(staged).toHaveLength(1);
  optimizer.dispose();
  expect([...made, ...staged].map(({ freed }) => freed)).toEqual([true, true, true, true]);
  expect(gradient.freed).toBe(true);
  expect(w.freed).toBe(false);
  // A second time does nothing.
  optimizer.dispose();
  expect(codeOf(() => optimizer.step({ w: Float32Array.of(1, 2) }))).toBe("DISPOSED");
});
