import { adam, createOptimizer, identity, type GradstepError, type Tensor } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { Random } from "./random.js";

describe("wrapped buffers", () => {
  test(`tensors at random offsets: the values are right, and no byte outside changes (seed ${seed})`, async () => {
    const random = new Random(seed);
    let outside = 0;
    let wrong = 0;
    for (let round = 0; round < cases(25, 6); round += 1) {
      const device = await sharedDevice();
      const backend = webgpu({ device });
      // Every third round has gradients in the parameters' buffer, every second one has small gaps.
      const shared = round % 3 === 0;
      const gap = round % 2 === 0 ? 1 : 100;
      const ranges: { at: number; gradient: number; size: number }[] = [];
      let length = random.below(gap);
      for (let i = 0; i < 40; i += 1) {
        const size = 1 + random.below(90);
        const at = length;
        length += size + random.below(gap);
        const gradient = shared ? length : at + 3;
        if (shared) length += size + random.below(gap);
        ranges.push({ at, gradient, size });
      }
      const values = random.values(length + random.below(9));
      const memory = bufferOf(device, values);
      const forGradients = shared ? values : random.values(length + 3);
      const gradientMemory = shared ? memory : bufferOf(device, forGradients);
      const wrap = (buffer: GPUBuffer, offset: number, size: number): Tensor =>
        backend.wrap(buffer, { offset, shape: [size] });
      const named = <T>(make: (range: (typeof ranges)[number]) => T): Record<string, T> =>
        Object.fromEntries(ranges.map((range, i) => [`t${i}`, make(range)]));
      const optimizer = createOptimizer(
        adam({ learningRate: 0.01, weightDecay: 0.1 }),
        named(({ at, size }) => wrap(memory, at, size)),
        { groups: [{ match: /7$/, learningRate: 0.1 }] },
      );
      const gradients = named(({ gradient, size }) => wrap(gradientMemory, gradient, size));
      optimizer.step(gradients);
      optimizer.step(gradients);
      await backend.ready();

      const host = reference();
      const expected = values.slice();
      const arrays = named(({ at, size }) => expected.subarray(at, at + size));
      const other = createOptimizer(
        adam({ learningRate: 0.01, weightDecay: 0.1 }),
        Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, host.wrap(array)])),
        { groups: [{ match: /7$/, learningRate: 0.1 }] },
      );
      const plain = named(({ gradient, size }) => forGradients.slice(gradient, gradient + size));
      other.step(plain);
      other.step(plain);

      const words = await wordsOf(device, memory);
      const got = new Float32Array(words.buffer);
      const before = new Uint32Array(values.buffer);
      const inside = new Set(
        ranges.flatMap(({ at, size }) => Array.from({ length: size }, (_, i) => at + i)),
      );
      for (let i = 0; i < words.length; i += 1) {
        if (inside.has(i)) {
          if (!(Math.abs(got[i] - expected[i]) < 1e-5)) wrong += 1;
        } else if (words[i] !== before[i]) outside += 1;
      }
      backend.dispose();
    }
    expect(wrong).toBe(0);
    expect(outside).toBe(0);
  });

  test("buffers and ranges that cannot be wrapped are refused", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const buffer = bufferOf(device, new Float32Array(8));
    const code = (action: () => unknown): unknown => {
      try {
        action();
        return undefined;
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    };
    expect(code(() => backend.wrap(buffer, { offset: 8 }))).toBe("INVALID_MEMORY");
    expect(code(() => backend.wrap(buffer, { offset: 0.5 }))).toBe("INVALID_MEMORY");
    expect(code(() => backend.wrap(buffer, { offset: 1, shape: [8] }))).toBe("INVALID_MEMORY");
    expect(code(() => backend.wrap(buffer, { shape: [0] }))).toBe("INVALID_SHAPE");
    expect(code(() => backend.wrap({} as GPUBuffer))).toBe("INVALID_MEMORY");
    const readOnly = device.createBuffer({ size: 16, usage: 0x80 });
    const tensor = backend.wrap(readOnly);
    expect(code(() => tensor.write([1, 2, 3, 4]))).toBe("INVALID_MEMORY");
    await expect(tensor.read()).rejects.toMatchObject({ code: "INVALID_MEMORY" });
    const mapped = device.createBuffer({ size: 16, usage: 0x1 | 0x8 });
    expect(code(() => backend.wrap(mapped))).toBe("INVALID_MEMORY");
    expect(code(() => webgpu({ devise: device } as never))).toBe("UNKNOWN_OPTION");
    expect(code(() => webgpu(null as never))).toBe("UNKNOWN_OPTION");
  });

  test("arguments of a wrong type are refused, and nothing has changed", async () => {
    const backend = await newBackend();
    const { device } = backend;
    const message = (action: () => unknown): string => {
      try {
        action();
        return "none";
      } catch (error) {
        const { name, code, message: text } = error as GradstepError;
        return `${name} ${code}: ${text}`;
      }
    };
    const w = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(adam(), { w });
    const gradients = { w: backend.tensor([2], [1, 1], 1) };
    const buffer = bufferOf(device, Float32Array.of(3, 4));
    const copy = backend.wrap(buffer, { shape: [2], dtype: "f16" });
    const other = webgpu({ device }).wrap(buffer, { shape: [2], dtype: "f16" });
    for (const nothing of [null, undefined, 3, "x"] as never[]) {
      expect(message(() => optimizer.encode(nothing, gradients))).toMatch(
        /^GradstepError UNSUPPORTED: Got .* to encode into; expected a GPUCommandEncoder/,
      );
      expect(message(() => backend.fillCopy(w, { target: nothing, activation: identity }))).toMatch(
        /^GradstepError INVALID_PARAMETER: Got .* to copy; expected a parameter/,
      );
      expect(
        message(() => backend.fillCopy(nothing, { target: copy, activation: identity })),
      ).toMatch("GradstepError INVALID_PARAMETER");
      expect(message(() => backend.reserve(nothing))).toMatch(
        /^GradstepError INVALID_SHAPE: Got .* to reserve; expected an array/,
      );
      if (nothing === undefined) continue;
      expect(message(() => backend.wrap(buffer, nothing))).toMatch(
        /^GradstepError UNKNOWN_OPTION: wrap: got .*; expected an object with some of shape/,
      );
      expect(message(() => backend.tensor([2], nothing))).toMatch(
        /^GradstepError INVALID_MEMORY: Got .* to write; expected an array of numbers/,
      );
      expect(message(() => webgpu({ device: nothing }))).toMatch(
        /^GradstepError INVALID_MEMORY: Got .* as the device; expected a GPUDevice/,
      );
    }
    expect(message(() => backend.fillCopy(w, { target: other, activation: identity }))).toMatch(
      "GradstepError INVALID_PARAMETER",
    );
    expect(message(() => webgpu({ device: Promise.resolve(device) as never }))).toMatch(
      "a Promise",
    );
    for (const sizes of [[-1], [0.5], [Number.NaN], ["x"]] as number[][])
      expect(message(() => backend.reserve(sizes))).toMatch("GradstepError INVALID_SHAPE");
    const big = [1n, 2n] as never;
    expect(message(() => w.write(big))).toMatch("GradstepError INVALID_MEMORY");
    expect(message(() => backend.tensor([2], big))).toMatch("GradstepError INVALID_MEMORY");
    expect(message(() => backend.tensor([2], [1]))).toMatch("GradstepError LENGTH_MISMATCH");
    expect(optimizer.iterations).toBe(0);
    expect([...(await w.read())]).toEqual([1, 2]);
    expect([...new Float32Array((await wordsOf(device, buffer)).buffer)]).toEqual([3, 4]);
    optimizer.encode(device.createCommandEncoder(), gradients);
    expect(optimizer.iterations).toBe(1);
  });

  test("types, strides and capacities that do not fit are refused", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const buffer = bufferOf(device, new Float32Array(8));
    const code = (options: object): unknown => {
      try {
        return backend.wrap(buffer, options).shape;
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    };
    expect(code({ dtype: "f16" })).toEqual([16]);
    expect(code({ dtype: "f16", offset: 15 })).toEqual([1]);
    expect(code({ dtype: "f16", offset: 16 })).toBe("INVALID_MEMORY");
    expect(code({ dtype: "bf16" })).toBe("INVALID_MEMORY");
    expect(code({ dtype: "toString" })).toBe("INVALID_MEMORY");
    expect(code({ type: "f16" })).toBe("UNKNOWN_OPTION");
    expect(code({ rowStride: 4 })).toBe("INVALID_SHAPE");
    expect(code({ shape: [2, 3], rowStride: 5 })).toEqual([2, 3]);
    expect(code({ shape: [2, 3], rowStride: 6 })).toBe("INVALID_MEMORY");
    expect(code({ shape: [2, 3], rowStride: 2 })).toBe("INVALID_MEMORY");
    expect(code({ shape: [2, 3], rowStride: 3.5 })).toBe("INVALID_MEMORY");
    expect(code({ shape: [2, 2], capacity: 4 })).toEqual([2, 2]);
    expect(code({ shape: [2, 2], capacity: 5 })).toBe("INVALID_MEMORY");
    expect(code({ shape: [2, 2], capacity: 1 })).toBe("INVALID_MEMORY");
    expect(code({ shape: [], capacity: 2 })).toBe("INVALID_MEMORY");
  });

  test("f16 and rows with gaps can be read; u32 are read and written exactly", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const halves = Uint16Array.from([0, 0x3c00, 0xc000, 1, 0x7c00, 0x3555, 0x7bff, 0]);
    const buffer = bufferOf(device, new Float32Array(halves.buffer));
    const odd = backend.wrap(buffer, { dtype: "f16", offset: 1, shape: [2, 2], rowStride: 4 });
    expect(Array.from(await odd.read())).toEqual([1, -2, 0.333251953125, 65504]);
    const all = backend.wrap(buffer, { dtype: "f16", offset: 3 });
    expect(Array.from(await all.read())).toEqual([2 ** -24, Infinity, 0.333251953125, 65504, 0]);
    const words = backend.wrap(buffer, { dtype: "u32" });
    words.write([0, 1, 2 ** 24 + 1, 2 ** 32 - 1]);
    expect(Array.from(await words.read())).toEqual([0, 1, 2 ** 24 + 1, 2 ** 32 - 1]);
    expect(() => words.write([0, 1, -1, 2])).toThrow("integer from 0");
    all.write([1, 2, 3, 4, 5]);
    expect(Array.from(await all.read())).toEqual([1, 2, 3, 4, 5]);
    // Words hold 1 in the half before it: what words.write has written.
    expect((await wordsOf(device, buffer))[1] & 0xffff).toBe(1);
    const floats = backend.wrap(buffer, { shape: [2], rowStride: 2 });
    expect(floats.layout).toEqual({ dtype: "f32", rowStride: 2, scale: 1 });
    const before = await wordsOf(device, buffer);
    floats.write([1, 2]);
    expect(Array.from(await floats.read())).toEqual([1, 2]);
    const after = await wordsOf(device, buffer);
    expect([after[1], after[3]]).toEqual([before[1], before[3]]);
    const counts = backend.wrap(buffer, { dtype: "i32", offset: 0, shape: [2], scale: 0.5 });
    expect(() => counts.write([1, 2])).toThrow("Got a tensor of i32");
    expect(backend.wrap(buffer, { shape: [2], rowStride: 1 }).layout).toBeUndefined();
  });

  test("a read whose backend is disposed rejects, and the device reports no error", async () => {
    const device = await sharedDevice();
    const errors: string[] = [];
    device.addEventListener("uncapturederror", ({ error }) => errors.push(error.message));
    const backend = webgpu({ device });
    const tensor = backend.tensor([2], [1, 2]);
    const read = tensor.read();
    backend.dispose();
    await expect(read).rejects.toMatchObject({ name: "GradstepError", code: "DISPOSED" });
    await device.queue.onSubmittedWorkDone();
    expect(errors).toEqual([]);
  });

  test("caller-owned buffers and devices are kept by free and dispose", async () => {
    const backend = await newBackend();
    const buffer = bufferOf(backend.device, new Float32Array([1, 2]));
    const tensor = backend.wrap(buffer);
    tensor.free();
    backend.dispose();
    expect(Array.from(await wordsOf(backend.device, buffer))).toEqual([0x3f800000, 0x40000000]);
  });
});
