import { describe, expect, test } from "vitest";
import { HostTensor } from "../src/backend/host-tensor.js";
import { LaidOutTensor } from "../src/backend/laid-out-tensor.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, codeOf, failureOf } from "./support.js";

const backend = reference();

/** The code with which a promise is rejected. */
const codeOfRead = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "",
    (error: { code: string }) => error.code,
  );

describe("a tensor in a typed array", () => {
  test("with gaps between rows reads and writes its own values alone", async () => {
    const memory = Float32Array.from({ length: 14 }, (_, i) => i);
    const tensor = backend.wrap(memory, { shape: [3, 2], offset: 1, rowStride: 5 });
    expect(tensor).toBeInstanceOf(LaidOutTensor);
    expect(tensor.layout).toEqual({ dtype: "f32", rowStride: 5, scale: 1 });
    expect("view" in tensor).toBe(false);
    expect(await tensor.read()).toEqual(Float32Array.of(1, 2, 6, 7, 11, 12));
    expect(tensor.memory).toEqual({ buffer: memory.buffer, byteOffset: 4, byteLength: 48 });
    tensor.write([-1, -2, -3, -4, -5, -6]);
    expect([...memory]).toEqual([0, -1, -2, 3, 4, 5, -3, -4, 8, 9, 10, -5, -6, 13]);
  });

  test("is copied row by row, and what lies between rows stays", () => {
    const memory = new Float32Array(14).fill(9);
    const target = backend.wrap(memory, { shape: [3, 2], offset: 1, rowStride: 5 });
    const source = backend.wrap(Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [3, 2] });
    backend.copy!(source, target);
    expect([...memory]).toEqual([9, 1, 2, 9, 9, 9, 3, 4, 9, 9, 9, 5, 6, 9]);
    const back = backend.tensor([3, 2]);
    backend.copy!(target, back);
    expect([...back.view!()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("is copied without the rows that may be added", () => {
    const memory = new Float32Array(9).fill(9);
    const target = backend.wrap(memory, { shape: [2, 2], rowStride: 3, capacity: 3 });
    backend.copy!(
      backend.wrap(Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 2], capacity: 3 }),
      target,
    );
    expect([...memory]).toEqual([1, 2, 9, 3, 4, 9, 9, 9, 9]);
  });

  test("without gaps, of the backend's type, is plain", () => {
    const memory = new Float32Array(12);
    for (const options of [{}, { rowStride: 3 }, { dtype: "f32" as const }])
      expect(backend.wrap(memory, { shape: [4, 3], ...options })).toBeInstanceOf(HostTensor);
    const wide = oracle().wrap(new Float64Array(12), { shape: [4, 3] });
    expect(wide.layout).toBeUndefined();
  });

  test("leaves what follows its shape alone, with and without the options that say so", async () => {
    for (const options of [{}, { offset: 0 }, { capacity: 8 }]) {
      const memory = new Float32Array(32).fill(9);
      const w = backend.wrap(memory, { shape: [8, 3], ...options });
      w.write(new Float32Array(24));
      createOptimizer(sgd({ learningRate: 1 }), { w }).step({ w: new Float32Array(24).fill(1) });
      expect(await w.read()).toEqual(new Float32Array(24).fill(-1));
      expect(memory.subarray(24)).toEqual(new Float32Array(8).fill(9));
    }
  });

  test("holds f16 in 16 bits", async () => {
    const memory = Uint16Array.of(7, 0x3c00, 0xc000, 7, 0x7c00, 0x0001);
    const tensor = backend.wrap(memory, { shape: [2, 2], offset: 1, rowStride: 3 });
    expect(tensor.layout!.dtype).toBe("f16");
    expect(await tensor.read()).toEqual(Float32Array.of(1, -2, Infinity, 2 ** -24));
    tensor.write([0.5, 1e6, -0, 3]);
    expect([...memory]).toEqual([7, 0x3800, 0x7bff, 7, 0x8000, 0x4200]);
    expect(backend.wrap(memory, { dtype: "f16" }).size).toBe(6);
  });

  test("holds integers, read exactly, and in fixed point with their scale", async () => {
    const memory = Int32Array.of(2 ** 31 - 1, -(2 ** 31), 5);
    expect(await backend.wrap(memory).read()).toEqual(Float64Array.from(memory));
    const scaled = backend.wrap(memory, { scale: 0.1 });
    const scale = Math.fround(0.1);
    expect(await scaled.read()).toEqual(
      Float32Array.from(memory, (value) => Math.fround(Math.fround(value) * scale)),
    );
    expect(codeOf(() => scaled.write([1, 2, 3]))).toBe("UNSUPPORTED");
    const unsigned = backend.wrap(new Uint32Array(3));
    unsigned.write([0, 7, 2 ** 32 - 1]);
    expect(await unsigned.read()).toEqual(Float64Array.of(0, 7, 2 ** 32 - 1));
    for (const wrong of [0.5, -1, 2 ** 32, Number.NaN]) {
      expect(codeOf(() => unsigned.write([1, 1, wrong]))).toBe("INVALID_MEMORY");
      expect(await unsigned.read()).toEqual(Float64Array.of(0, 7, 2 ** 32 - 1));
    }
  });

  test.each<[string, unknown, object, string]>([
    ["floats of another type", new Float64Array(4), {}, "INVALID_MEMORY"],
    ["bytes", new Uint8Array(4), {}, "INVALID_MEMORY"],
    ["a buffer", new ArrayBuffer(16), {}, "INVALID_MEMORY"],
    ["an empty array", new Uint16Array(0), {}, "INVALID_MEMORY"],
    ["another dtype than the array's", new Float32Array(4), { dtype: "f16" }, "INVALID_MEMORY"],
    ["a dtype that does not exist", new Uint16Array(4), { dtype: "bf16" }, "INVALID_MEMORY"],
    ["a scale of floats", new Float32Array(4), { scale: 2 }, "INVALID_MEMORY"],
    ["a scale of 0", new Int32Array(4), { scale: 0 }, "INVALID_MEMORY"],
    ["a scale that overflows", new Int32Array(4), { scale: 1e39 }, "INVALID_MEMORY"],
    ["a stride without a shape", new Float32Array(4), { rowStride: 2 }, "INVALID_SHAPE"],
    ["a short stride", new Float32Array(9), { shape: [2, 3], rowStride: 2 }, "INVALID_MEMORY"],
    ["half a stride", new Float32Array(9), { shape: [2, 3], rowStride: 3.5 }, "INVALID_MEMORY"],
    ["rows past the end", new Float32Array(6), { shape: [2, 3], rowStride: 4 }, "INVALID_MEMORY"],
    [
      "capacity past the end",
      new Float32Array(7),
      { shape: [2, 3], rowStride: 4, capacity: 3 },
      "INVALID_MEMORY",
    ],
    ["a strange option", new Float32Array(4), { stride: 2 }, "UNKNOWN_OPTION"],
  ])("is refused for %s", (_, memory, options, code) => {
    expect(codeOf(() => backend.wrap(anything(memory), options))).toBe(code);
  });

  test("may end with its last row", () => {
    const tensor = backend.wrap(new Float32Array(7), { shape: [2, 3], rowStride: 4 });
    expect(tensor.memory.byteLength).toBe(28);
  });

  test("that lost its memory, or was freed, says so", async () => {
    const memory = new Float32Array(8);
    const tensor = backend.wrap(memory, { shape: [2, 2], rowStride: 4 });
    const optimizer = createOptimizer(adam(), { w: tensor });
    structuredClone(memory.buffer, { transfer: [memory.buffer] });
    expect([tensor.freed, tensor.detached]).toEqual([true, true]);
    expect(codeOf(() => tensor.write([1, 2, 3, 4]))).toBe("DISPOSED");
    expect(await codeOfRead(tensor.read())).toBe("DISPOSED");
    expect(failureOf(() => optimizer.step({ w: new Float32Array(4) })).message).toContain(
      "transferred",
    );
    const other = backend.wrap(new Int32Array(2));
    other.free();
    expect([other.freed, other.detached]).toEqual([true, false]);
    expect(await codeOfRead(other.read())).toBe("DISPOSED");
    expect(codeOf(() => other.memory)).toBe("DISPOSED");
  });
});
