import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, codeOf } from "./support.js";

describe("removed parameters", () => {
  test("free their slots; the others keep state and step number", () => {
    const backend = reference();
    const [a, b] = [Float32Array.of(0), Float32Array.of(0)];
    const spec = sgd({ learningRate: 1, momentum: 0.5 });
    const optimizer = createOptimizer(
      spec,
      { a: backend.wrap(a), b: backend.wrap(b) },
      { groups: [{ match: "a", learningRate: 2 }] },
    );
    optimizer.step({ a: Float32Array.of(1), b: Float32Array.of(1) });
    optimizer.remove("a");
    expect(optimizer.parameters).toEqual(["b"]);
    expect(optimizer.groups[0].parameters).toEqual([]);
    optimizer.step({ b: Float32Array.of(1) });
    expect(optimizer.iterations).toBe(2);
    expect([a[0], b[0]]).toEqual([-2, -2.5]);
    expect(codeOf(() => optimizer.step({ a: Float32Array.of(1) }))).toBe("UNKNOWN_PARAMETER");
    // Added again under the same name, it has no momentum.
    optimizer.add({ a: backend.wrap(a) });
    optimizer.step({ a: Float32Array.of(1) });
    expect(a[0]).toBe(-4);
  });

  test("are checked before any is removed", () => {
    const backend = reference();
    const optimizer = createOptimizer(sgd(), { a: backend.tensor([1]), b: backend.tensor([1]) });
    expect(codeOf(() => optimizer.remove(anything(["a", "c"])))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.remove([]))).toBe("UNKNOWN_PARAMETER");
    expect(optimizer.parameters).toEqual(["a", "b"]);
    optimizer.remove(["b", "a"]);
    expect(optimizer.parameters).toEqual([]);
    optimizer.dispose();
    expect(codeOf(() => optimizer.remove("a"))).toBe("DISPOSED");
  });
});

describe("parameters that are added later", () => {
  test("share the step number and have new slots", () => {
    const backend = reference();
    const [first, late] = [Float32Array.of(1), Float32Array.of(1)];
    const optimizer = createOptimizer(adagrad({ initialAccumulatorValue: 0.5 }), {
      first: backend.wrap(first),
    });
    optimizer.step({ first: Float32Array.of(1) });
    const grown = optimizer.add({ late: backend.wrap(late) });
    expect(grown).toBe(optimizer);
    expect(optimizer.parameters).toEqual(["first", "late"]);
    grown.step({ late: Float32Array.of(2) });
    expect(optimizer.iterations).toBe(2);
    expect(late[0]).toBeCloseTo(1 - (2 * 0.001) / Math.sqrt(4.5 + 1e-7), 6);
  });

  test("have the bias correction of the current step", () => {
    const values = Float64Array.of(1);
    const backend = oracle();
    const spec = adam({ epsilonMode: "paper", epsilon: 0 });
    const optimizer = createOptimizer(spec, { first: backend.tensor([1]) });
    for (let i = 0; i < 4; i += 1) optimizer.step({ first: Float64Array.of(1) });
    const grown = optimizer.add({ late: backend.wrap(values) });
    grown.step({ late: Float64Array.of(1) });
    const rate = (0.001 * Math.sqrt(1 - 0.999 ** 5)) / (1 - 0.9 ** 5);
    expect(values[0]).toBeCloseTo(1 - (rate * 0.1) / Math.sqrt(0.001), 12);
  });

  test("may be the first", () => {
    const memory = Float32Array.of(1);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), {});
    expect(codeOf(() => optimizer.step({}))).toBe("INVALID_GRADIENT");
    optimizer.add({});
    optimizer.add({ w: reference().wrap(memory) });
    optimizer.step({ w: Float32Array.of(1) });
    expect(memory[0]).toBe(0);
  });

  test("are checked against the current ones", () => {
    const backend = reference();
    const memory = new Float32Array(8);
    const optimizer = createOptimizer(sgd(), { w: backend.wrap(memory, { shape: [4] }) });
    expect(codeOf(() => optimizer.add({ w: backend.tensor([1]) }))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => optimizer.add({ v: reference().tensor([1]) }))).toBe("INVALID_PARAMETER");
    const overlapping = backend.wrap(memory, { offset: 3, shape: [2] });
    expect(codeOf(() => optimizer.add({ fresh: backend.tensor([1]), v: overlapping }))).toBe(
      "OVERLAPPING_MEMORY",
    );
    expect(optimizer.parameters).toEqual(["w"]);
    optimizer.add({ v: backend.wrap(memory, { offset: 4 }) });
    expect(optimizer.parameters).toEqual(["w", "v"]);
  });
});

describe("parameters are refused", () => {
  const backend = reference();
  const good = (): Tensor => backend.tensor([2]);

  test.each([
    ["null", null],
    ["undefined", undefined],
    ["a number", 5],
    ["a string", "w"],
    ["a list", [good()]],
    ["a Map", new Map([["w", good()]])],
    ["a tensor", good()],
    ["an array", new Float32Array(2)],
    ["an array by name", { w: new Float32Array(2) }],
    ["null by name", { w: null }],
    ["something like a tensor", { w: { backend: null, memory: null, size: 1 } }],
    ["something like a tensor of something", { w: { backend: {}, memory: {}, size: 1 } }],
    ["a function", () => good()],
    ["tensors of two backends", { w: good(), v: reference().tensor([2]) }],
    ["a tensor named constructor", { constructor: good() }],
    ["a tensor named toString", { toString: good() }],
    ["a tensor named __proto__", Object.fromEntries([["__proto__", good()]])],
  ])("%s", (_, parameters) => {
    expect(
      codeOf(() => createOptimizer(adam(), anything<Record<string, Tensor>>(parameters))),
    ).toBe("INVALID_PARAMETER");
  });

  test("the same tensor twice", () => {
    const w = good();
    expect(codeOf(() => createOptimizer(adam(), { w, v: w }))).toBe("OVERLAPPING_MEMORY");
  });

  test("overlapping parts of one buffer, though no two neighbors in the list overlap", () => {
    const memory = new Float32Array(12);
    const part = (offset: number, length: number): Tensor =>
      backend.wrap(memory, { offset, shape: [length] });
    const overlapping = { a: part(0, 4), b: part(8, 4), c: part(3, 2) };
    expect(codeOf(() => createOptimizer(adam(), overlapping))).toBe("OVERLAPPING_MEMORY");
    const views = { a: part(0, 6), b: backend.wrap(memory.subarray(5, 7)) };
    expect(codeOf(() => createOptimizer(adam(), views))).toBe("OVERLAPPING_MEMORY");
    const inside = { a: part(0, 12), b: part(4, 1) };
    expect(codeOf(() => createOptimizer(adam(), inside))).toBe("OVERLAPPING_MEMORY");
    const apart = { a: part(0, 4), b: part(8, 4), c: part(4, 4) };
    expect(createOptimizer(adam(), apart).parameters).toEqual(["a", "b", "c"]);
  });

  test("a freed one, and one without values", () => {
    const w = good();
    w.free();
    expect(codeOf(() => createOptimizer(adam(), { w }))).toBe("DISPOSED");
  });

  test("one without values is accepted, but not stepped", async () => {
    const [w, late] = [good(), backend.staging([2])];
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w, late });
    const gradient = Float32Array.of(1, 2);
    expect(codeOf(() => optimizer.step({ w: gradient, late: gradient }))).toBe("INVALID_MEMORY");
    expect([...(await w.read())]).toEqual([0, 0]);
    late.stage(new Float32Array(2));
    optimizer.step({ w: gradient, late: gradient });
    expect([...(await late.read())]).toEqual([-1, -2]);
  });

  test("names can be unusual", () => {
    const names = ["", "0", "a.b/c:0", "ключ", "groups", "m"];
    const parameters = Object.fromEntries(names.map((name) => [name, good()]));
    const optimizer = createOptimizer(adam(), parameters);
    expect(new Set(optimizer.parameters)).toEqual(new Set(names));
    optimizer.step(Object.fromEntries(names.map((name) => [name, new Float32Array(2)])));
  });
});
