import { describe, expect, test } from "vitest";
import type { Backend, StagingTensor, Tensor } from "../src/backend/backend.js";
import type { Values } from "../src/backend/memory.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { anything, codeOf } from "./support.js";

describe("a gradient in the buffer of its parameter", () => {
  const backend = reference();

  const codeAt = (start: number, end: number): string => {
    const memory = new Float32Array(12);
    const optimizer = createOptimizer(sgd(), { w: backend.wrap(memory.subarray(4, 8)) });
    try {
      optimizer.step({ w: memory.subarray(start, end) });
      return "";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test("may begin where it ends, or end where it begins", () => {
    expect([codeAt(0, 4), codeAt(8, 12)]).toEqual(["", ""]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])("must not share a value with it, beginning at %i", (start) => {
    expect(codeAt(start, start + 4)).toBe("OVERLAPPING_MEMORY");
  });
});

test.each([
  new Int32Array(2),
  new Uint8Array(2),
  new BigInt64Array(2),
  new DataView(new ArrayBuffer(16)),
])("%# is a gradient of neither precision", (values) => {
  const w = oracle().wrap(Float64Array.of(1, 2));
  const v = reference().wrap(Float32Array.of(1, 2));
  expect(codeOf(() => createOptimizer(sgd(), { w }).step({ w: anything(values) }))).toBe(
    "INVALID_GRADIENT",
  );
  expect(codeOf(() => createOptimizer(sgd(), { v }).step({ v: anything(values) }))).toBe(
    "INVALID_GRADIENT",
  );
});

test("a gradient that was freed is refused, also where its memory does not say so", () => {
  const backend = reference();
  const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
  const gradient = laidOut(backend, { shape: [2], dtype: "f32" });
  gradient.free();
  expect(codeOf(() => optimizer.step({ w: gradient }))).toBe("DISPOSED");
});

describe("arrays that a step is given", () => {
  /** A backend over one buffer of its own, and the order in which it is handed arrays. */
  function ordered() {
    const memory = new Float32Array(64);
    const backend: Backend & { wrap: ReturnType<typeof reference>["wrap"] } = reference();
    const order: Values[] = [];
    const staging = backend.staging.bind(backend);
    backend.staging = (shape): StagingTensor => {
      const tensor = staging(shape);
      const stage = tensor.stage.bind(tensor);
      tensor.stage = (values) => {
        order.push(values);
        stage(values);
      };
      return tensor;
    };
    const parameters: Record<string, Tensor> = {};
    ["a", "b", "c"].forEach((name, i) => {
      parameters[name] = backend.wrap(memory.subarray(2 * i, 2 * i + 2));
    });
    return { memory, order, optimizer: createOptimizer(sgd({ learningRate: 1 }), parameters) };
  }

  test("enter those in the backend's memory first, each once", () => {
    const { memory, order, optimizer } = ordered();
    const inside = [10, 20].map((at) => memory.subarray(at, at + 2));
    const outside = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    inside[0].set([5, 6]);
    optimizer.step({ a: outside[0], b: inside[0], c: outside[1] });
    expect(order).toEqual([inside[0], outside[0], outside[1]]);
    expect(order[0]).toBe(inside[0]);
    expect([...memory.subarray(0, 6)]).toEqual([-1, -2, -5, -6, -3, -4]);
    order.length = 0;
    optimizer.step({ a: inside[0], b: outside[0], c: inside[1] });
    expect(order.map((one) => one.buffer === memory.buffer)).toEqual([true, true, false]);
    expect([...memory.subarray(0, 6)]).toEqual([-6, -8, -6, -8, -3, -4]);
  });

  test("enter in the order of the parameters, where all are on one side", () => {
    const { memory, order, optimizer } = ordered();
    const outside = [1, 2, 3].map((value) => Float32Array.of(value, value));
    const [a, b, c] = outside;
    optimizer.step({ c, a, b });
    expect(order.map(([value]) => value)).toEqual([1, 2, 3]);
    order.length = 0;
    const inside = [10, 12, 14].map((at) => memory.subarray(at, at + 2).fill(at));
    optimizer.step({ a: inside[0], b: inside[1], c: inside[2] });
    expect(order.map(([value]) => value)).toEqual([10, 12, 14]);
  });

  test("a mask in the memory of the parameter is copied, and another is not", () => {
    const memory = new Float32Array(16);
    const backend = reference();
    const masks: unknown[] = [];
    const compile = backend.compile.bind(backend);
    backend.compile = (variant) => {
      const kernel = compile(variant);
      return {
        ...kernel,
        run: (updates, count) => {
          masks.push(updates[0].mask);
          kernel.run(updates, count);
        },
      };
    };
    const w = backend.wrap(memory.subarray(0, 2));
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const inside = new Uint32Array(memory.buffer, 32, 2);
    inside.set([0, 1]);
    const outside = Uint32Array.of(1, 0);
    const gradients = { w: Float32Array.of(1, 1) };
    optimizer.step(gradients, { rows: inside });
    optimizer.step(gradients, { rows: outside });
    expect(masks).toEqual([inside, outside]);
    expect(masks[0]).not.toBe(inside);
    expect(masks[1]).toBe(outside);
    expect([...memory.subarray(0, 2)]).toEqual([-1, -1]);
  });
});
