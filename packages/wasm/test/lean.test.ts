import { createOptimizer, GradstepError } from "@gradstep/core";
import * as core from "@gradstep/core/lean";
import { reference } from "@gradstep/core/reference";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import * as lean from "../src/lean/index.js";
import { leanEquality } from "./lean-equality.js";

function codeOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error instanceof GradstepError ? error.code : error;
  }
  return undefined;
}

leanEquality();

test("the whole optimizer works with these kernels, too", async () => {
  const backend = lean.createWasm(lean.adamKernels(), lean.sgdKernels());
  const w = backend.tensor([2], [1, 2]);
  const v = reference().tensor([2], [1, 2]);
  const rule = rules.find(({ name }) => name === "adam")!;
  const [one, two] = [
    createOptimizer(rule.specify({}), { w }),
    createOptimizer(rule.specify({}), { w: v }),
  ];
  for (let i = 0; i < 3; i += 1) {
    for (const optimizer of [one, two]) optimizer.step({ w: Float32Array.of(1, -1) });
  }
  expect(await w.read()).toEqual(await v.read());
});

describe("tensors", () => {
  const backend = lean.createWasm(lean.adamKernels());

  test("are views of one memory that grows", async () => {
    const w = backend.tensor([2, 3], [1, 2, 3, 4, 5, 6]);
    w.view()[0] = 7;
    const large = backend.tensor([100_000]);
    expect(large.view().every((value) => value === 0)).toBe(true);
    expect([...w.view()]).toEqual([7, 2, 3, 4, 5, 6]);
    expect(await w.read()).toEqual(Float32Array.of(7, 2, 3, 4, 5, 6));
    w.write([6, 5, 4, 3, 2, 1]);
    expect([...w.view()]).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test("a gradient in this memory is used where it is, and copied where it is a view", async () => {
    const w = backend.tensor([2], [1, 1]);
    const optimizer = core.createOptimizer(core.adam({ learningRate: 0.5 }), { w });
    const gradient = optimizer.gradient("w");
    gradient.view().set([1, -1]);
    optimizer.step({ w: gradient });
    const other = backend.tensor([2], [1, -1]);
    optimizer.step({ w: other.view() });
    const expected = reference().tensor([2], [1, 1]);
    const rule = rules.find(({ name }) => name === "adam")!;
    const same = createOptimizer(rule.specify({ learningRate: 0.5 }), { w: expected });
    for (let i = 0; i < 2; i += 1) same.step({ w: Float32Array.of(1, -1) });
    expect(await w.read()).toEqual(await expected.read());
    expect(codeOf(() => optimizer.step({ w: w.view() }))).toBe("OVERLAPPING_MEMORY");
  });

  test("a view of this memory is a gradient, too, where others are large arrays", async () => {
    const own = lean.createWasm(lean.adamKernels());
    const parameters = { a: own.tensor([2]), b: own.tensor([200_000]) };
    const optimizer = core.createOptimizer(core.adam({ learningRate: 0.5 }), parameters);
    const source = own.tensor([2], [1, -1]);
    optimizer.step({ a: source.view(), b: new Float32Array(200_000).fill(1) });
    expect([...(await parameters.a.read())].map(Math.sign)).toEqual([-1, 1]);
    expect((await parameters.b.read())[199_999]).toBeLessThan(0);
  });

  test("that are made and freed take the memory of one", () => {
    const own = lean.createWasm(lean.adamKernels());
    const w = own.tensor([1000]);
    let most = 0;
    for (let i = 0; i < 2000; i += 1) {
      const optimizer = core.createOptimizer(core.adam(), { w });
      optimizer.step({ w: new Float32Array(1000) });
      optimizer.dispose();
      if (i === 2) most = w.view().buffer.byteLength;
    }
    expect(w.view().buffer.byteLength).toBe(most);
  });

  test.each<[string, () => unknown, string]>([
    ["a shape of 0", () => backend.tensor([0]), "INVALID_SHAPE"],
    ["a shape that is none", () => backend.tensor("2" as never), "INVALID_SHAPE"],
    ["values of another length", () => backend.tensor([2], [1]), "LENGTH_MISMATCH"],
    ["values that are no numbers", () => backend.tensor([1], ["1"] as never), "INVALID_MEMORY"],
    ["more than there can be", () => backend.tensor([2 ** 30]), "OUT_OF_MEMORY"],
  ])("%s is refused", (_, action, code) => {
    expect(codeOf(action)).toBe(code);
  });

  test("that were freed say so", async () => {
    const w = backend.tensor([1]);
    w.free();
    w.free();
    expect(w.freed).toBe(true);
    expect(codeOf(() => w.view())).toBe("DISPOSED");
    expect(codeOf(() => w.write([1]))).toBe("DISPOSED");
    await expect(w.read()).rejects.toThrow("freed");
  });

  test("a shape is as it was given, whatever becomes of the list", () => {
    const shape = [2, 2];
    const w = backend.tensor(shape);
    shape[0] = 3;
    expect(w.shape).toEqual([2, 2]);
  });
});

test("a rule that no module has is refused, with the way to it", () => {
  const w = lean.createWasm(lean.adamKernels()).tensor([1]);
  expect(() => core.createOptimizer(core.sgd(), { w })).toThrow("wasm() of @gradstep/wasm");
  expect(codeOf(() => core.createOptimizer(core.sgd(), { w }))).toBe("UNSUPPORTED");
});

test.each([["adam"], [null], [[lean.adamKernels()]]])("%o is no module", (module) => {
  expect(codeOf(() => lean.createWasm(module as never))).toBe("INVALID_HYPERPARAMETER");
});
