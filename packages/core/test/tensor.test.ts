import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { HostTensor } from "../src/backend/host-tensor.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, bits, codeOf, failureOf, numbers } from "./support.js";

describe("tensors", () => {
  test("have a shape, a size, a memory range and values", async () => {
    const backend = reference();
    const memory = numbers(10, 1);
    const tensor = backend.wrap(memory, { shape: [2, 3], offset: 4 });
    expect([tensor.backend, tensor.shape, tensor.size]).toEqual([backend, [2, 3], 6]);
    expect(tensor.memory).toEqual({ buffer: memory.buffer, byteOffset: 16, byteLength: 24 });
    const read = await tensor.read();
    expect(read).toEqual(memory.slice(4));
    read.fill(9);
    expect(await tensor.read()).toEqual(memory.slice(4));
    tensor.write([1, 2, 3, 4, 5, 6]);
    expect([...memory.subarray(4)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a shape is copied; [] is one number; without a shape, the rest of the array is wrapped", () => {
    const backend = reference();
    const shape = [2, 2];
    const tensor = backend.tensor(shape);
    shape[0] = 9;
    expect(tensor.shape).toEqual([2, 2]);
    expect(() => anything<number[]>(tensor.shape).push(1)).toThrow(TypeError);
    expect(backend.tensor([]).size).toBe(1);
    expect(backend.wrap(new Float32Array(5), { offset: 2 }).shape).toEqual([3]);
  });

  test("a capacity may be the number of rows, or more", () => {
    const memory = numbers(8, 1);
    const at = (capacity: number): number => {
      const tensor = reference().wrap(memory, { shape: [2, 2], offset: 1, capacity });
      return tensor.memory.byteLength;
    };
    expect(at(2)).toBe(16);
    expect(at(3)).toBe(24);
  });

  test("freed tensors cannot be used; caller-owned memory stays", async () => {
    const memory = numbers(3, 1);
    const tensor = reference().wrap(memory);
    tensor.free();
    tensor.free();
    expect(tensor.freed).toBe(true);
    expect(codeOf(() => tensor.write([1, 2, 3]))).toBe("DISPOSED");
    await expect(tensor.read()).rejects.toMatchObject({ code: "DISPOSED" });
    expect(memory).toEqual(numbers(3, 1));
    const staging = reference().staging([3]);
    staging.free();
    expect(codeOf(() => staging.stage(memory))).toBe("DISPOSED");
  });

  test("a staging tensor that was released has no values until the next", async () => {
    const staging = new HostTensor(reference(), [2]);
    staging.stage(Float32Array.of(1, 2));
    expect(staging.memory.byteLength).toBe(8);
    staging.release();
    expect(staging.memory).toEqual({ buffer: staging, byteOffset: 0, byteLength: 0 });
    await expect(staging.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    staging.stage(Float32Array.of(3, 4));
    expect(await staging.read()).toEqual(Float32Array.of(3, 4));
  });

  test("more rows than there is memory for are refused, and the tensor stays", async () => {
    const tensor = reference().tensor([1, 2], [1, 2]) as HostTensor;
    const { code, cause } = failureOf(() => tensor.reallocate([2 ** 40, 2]));
    expect(code).toBe("OUT_OF_MEMORY");
    expect(cause).toBeInstanceOf(RangeError);
    expect(tensor.shape).toEqual([1, 2]);
    expect(await tensor.read()).toEqual(Float32Array.of(1, 2));
  });

  test("detached memory is detected", async () => {
    const memory = numbers(3, 1);
    const tensor = reference().wrap(memory);
    structuredClone(memory.buffer, { transfer: [memory.buffer as ArrayBuffer] });
    expect(tensor.freed).toBe(true);
    expect(codeOf(() => tensor.write([]))).toBe("DISPOSED");
    await expect(tensor.read()).rejects.toMatchObject({ code: "DISPOSED" });
    tensor.free();
    await expect(tensor.read()).rejects.toMatchObject({ code: "DISPOSED" });
  });

  test("an empty array is refused with a message that says so", () => {
    const { code, message } = failureOf(() => reference().wrap(new Float32Array(0)));
    expect(code).toBe("INVALID_MEMORY");
    expect(message).toContain("an empty Float32Array");
  });

  test("a staging tensor borrows an array, and has no values before", async () => {
    const backend = reference();
    const staging = backend.staging([2]);
    await expect(staging.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    const values = Float32Array.of(1, 2);
    staging.stage(values);
    values[0] = 5;
    expect(await staging.read()).toEqual(Float32Array.of(5, 2));
    expect(staging.memory.buffer).toBe(values.buffer);
    const others = Float32Array.of(3, 4);
    staging.stage(others);
    expect(staging.memory.buffer).toBe(others.buffer);
  });

  test.each<[unknown]>([
    [[0]],
    [[-1]],
    [[1.5]],
    [[Number.NaN]],
    [["2"]],
    [[null]],
    [[2, 0]],
    [new Array(3)],
    [[2 ** 40, 2 ** 40]],
    [5],
    ["2"],
    [null],
    [undefined],
    [{ length: 1, 0: 2 }],
    [Int32Array.of(2)],
    // There is no memory for this one.
    [[2 ** 45]],
  ])("shape %o is refused", (shape) => {
    for (const backend of [reference(), oracle()])
      expect(codeOf(() => backend.tensor(anything(shape)))).toBe("INVALID_SHAPE");
    expect(codeOf(() => new HostTensor(reference(), anything(shape), new Float32Array()))).toMatch(
      /^(INVALID_SHAPE|LENGTH_MISMATCH)$/,
    );
  });

  test.each<[unknown, unknown, string]>([
    [null, undefined, "INVALID_MEMORY"],
    [[1, 2], undefined, "INVALID_MEMORY"],
    [new Float64Array(2), undefined, "INVALID_MEMORY"],
    [new ArrayBuffer(8), undefined, "INVALID_MEMORY"],
    [new DataView(new ArrayBuffer(8)), undefined, "INVALID_MEMORY"],
    [new Float32Array(0), undefined, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: 4 }, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: -1 }, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: 0.5 }, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: -1 }, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: 0.5 }, "INVALID_MEMORY"],
    [new Float32Array(4), { offset: "1" }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [5] }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [4], offset: 1 }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [2], offset: 1, capacity: 4 }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [2], capacity: 1 }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [], capacity: 1 }, "INVALID_MEMORY"],
    [new Float32Array(4), { shape: [0] }, "INVALID_SHAPE"],
    [new Float32Array(4), { shape: 4 }, "INVALID_SHAPE"],
    [new Float32Array(4), null, "UNKNOWN_OPTION"],
    [new Float32Array(4), 4, "UNKNOWN_OPTION"],
    [new Float32Array(4), { shap: [4] }, "UNKNOWN_OPTION"],
    [new Float32Array(4), [4], "UNKNOWN_OPTION"],
  ])("wrap, case %#: refused", (memory, options, code) => {
    expect(codeOf(() => reference().wrap(anything(memory), anything(options)))).toBe(code);
  });

  test.each<[unknown, string]>([
    [[1], "LENGTH_MISMATCH"],
    [[1, 2, 3], "LENGTH_MISMATCH"],
    [{}, "LENGTH_MISMATCH"],
    [null, "INVALID_MEMORY"],
    [5, "INVALID_MEMORY"],
    ["12", "INVALID_MEMORY"],
    [BigInt64Array.of(1n, 2n), "INVALID_MEMORY"],
    [[1, 2n], "INVALID_MEMORY"],
    [[1, Symbol("2")], "INVALID_MEMORY"],
    [[1, "2"], "INVALID_MEMORY"],
    [[1, null], "INVALID_MEMORY"],
    [Object.assign(Array(2), { 0: 1 }), "INVALID_MEMORY"],
    [() => 1, "INVALID_MEMORY"],
  ])("write, case %#: refused", async (values, code) => {
    const tensor = reference().tensor([2], [7, 8]);
    expect(codeOf(() => tensor.write(anything(values)))).toBe(code);
    expect(codeOf(() => reference().tensor([2], anything(values)))).toBe(code);
    expect(await tensor.read()).toEqual(Float32Array.of(7, 8));
  });
});

describe("the reference and the oracle", () => {
  test("have a name, a precision and exactness", () => {
    expect(reference()).toMatchObject({ name: "reference", precision: "f32", exact: true });
    expect(oracle()).toMatchObject({ name: "oracle", precision: "f64", exact: false });
  });

  test.each(rules.map((rule) => [rule.name, rule] as const))(
    "agree on every variant of %s up to the rounding of f32",
    async (_, rule) => {
      for (const variant of rule.variants()) {
        const size = 50;
        const wide = Float64Array.from(numbers(size, 3), (value) => 1 + value / 2);
        const runs = [reference(), oracle()].map((backend) => {
          const tensor = (values: Float64Array): Tensor => backend.tensor([size], values);
          const scalars = Float64Array.from(variant.scalars, (name, i) =>
            name === "direction" ? -1 : Math.fround(0.9 - i / 20),
          );
          const update = {
            parameter: tensor(wide),
            copies: [],
            gradientActivation: undefined,
            clearsGradient: false,
            mask: undefined,
            unselectedRows: "keep" as const,
            gradient: tensor(wide.map((value, i) => value / (i + 2))),
            slots: variant.slots.map((_slot, i) => tensor(wide.map((value) => value / (i + 4)))),
            scalars,
          };
          backend.compile(variant).run([update], 1);
          return [update.parameter, ...update.slots];
        });
        for (let i = 0; i < runs[0].length; i += 1) {
          const [narrow, exact] = await Promise.all([runs[0][i].read(), runs[1][i].read()]);
          // NaN where a difference under a root is negative: in both.
          const apart = [...narrow].filter(
            (value, j) =>
              !Object.is(value, exact[j]) &&
              !(Math.abs(value - exact[j]) <= 1e-4 * Math.max(1, Math.abs(exact[j]))),
          );
          expect(apart).toEqual([]);
        }
      }
    },
  );

  test("a run has only the first updates of a batch", () => {
    const backend = reference();
    const [one, other] = [Float32Array.of(1), Float32Array.of(1)];
    const variant = sgd.variant();
    const update = (
      values: Float32Array,
    ): Parameters<ReturnType<typeof backend.compile>["run"]>[0][number] => ({
      parameter: backend.wrap(values),
      copies: [],
      gradientActivation: undefined,
      clearsGradient: false,
      mask: undefined,
      unselectedRows: "keep",
      gradient: backend.tensor([1], [1]),
      slots: [],
      scalars: Float64Array.of(1, 0.5),
    });
    backend.compile(variant).run([update(one), update(other)], 1);
    expect([bits(one), bits(other)]).toEqual([bits([0.5]), bits([1])]);
  });

  test("a step of the oracle equals a step of the reference up to rounding", () => {
    const [narrow, wide] = [Float32Array.of(0.1), Float64Array.of(0.1)];
    const spec = sgd({ learningRate: 0.3 });
    createOptimizer(spec, { w: reference().wrap(narrow) }).step({ w: Float32Array.of(0.7) });
    createOptimizer(spec, { w: oracle().wrap(wide) }).step({ w: Float64Array.of(0.7) });
    const f = Math.fround;
    expect(narrow[0]).toBe(f(f(0.1) - f(f(0.7) * f(0.3))));
    expect(wide[0]).toBe(0.1 - 0.7 * 0.3);
  });
});
