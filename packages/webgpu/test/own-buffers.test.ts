import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { describe, newBackend, sharedDevice } from "./gpu.js";

const vertexUsage = 0x20;

/** Doubles the values of `b` and adds them to `a`, which a binding of one buffer could not do. */
const addTwice = `
  @group(0) @binding(0) var<storage, read_write> a: array<f32>;
  @group(0) @binding(1) var<storage, read> b: array<f32>;
  @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < arrayLength(&a)) { a[id.x] += 2 * b[id.x]; }
  }`;

describe("tensors in buffers of their own", () => {
  test("begin at the first byte of a buffer of exactly their size, with the usage asked for", async () => {
    const backend = await newBackend();
    const shared = backend.tensor([3], [1, 2, 3]);
    const own = backend.tensor([3], [1, 2, 3], { ownBuffer: true, usage: vertexUsage });
    expect(own.memory).toMatchObject({ byteOffset: 0, byteLength: 12 });
    expect(own.memory.buffer.size).toBe(12);
    expect(own.memory.buffer.usage).toBe(0x80 | 0x4 | 0x8 | vertexUsage);
    expect(own.memory.buffer).not.toBe(shared.memory.buffer);
    expect(await own.read()).toEqual(Float32Array.of(1, 2, 3));
    const zeros = backend.tensor([2], undefined, { ownBuffer: true });
    expect(await zeros.read()).toEqual(new Float32Array(2));
    expect(zeros.memory.buffer.usage).toBe(0x80 | 0x4 | 0x8);
  });

  test("a shader binds one to be written and one to be read", async () => {
    const backend = await newBackend();
    const { device } = backend;
    const module = device.createShaderModule({ code: addTwice });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const run = async (options?: { ownBuffer: true }): Promise<number[]> => {
      const tensor = (values: number[]) =>
        options === undefined
          ? backend.tensor([values.length], values)
          : backend.tensor([values.length], values, options);
      const [a, b] = [tensor([1, 2, 3]), tensor([10, 20, 30])];
      const bindGroup = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [a, b].map(({ memory: { buffer, byteOffset: offset, byteLength: size } }, i) => ({
          binding: i,
          resource: { buffer, offset, size },
        })),
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      device.queue.submit([encoder.finish()]);
      return [...(await a.read())];
    };
    device.pushErrorScope("validation");
    expect(await run({ ownBuffer: true })).toEqual([21, 42, 63]);
    expect(await device.popErrorScope()).toBeNull();
    // What the README warns of: tensors of the backend are ranges of one buffer.
    device.pushErrorScope("validation");
    expect(await run()).toEqual([1, 2, 3]);
    expect((await device.popErrorScope())?.message).toMatch("writable usage and another usage");
  });

  test("steps and remaps give the values of the reference, and growth makes a larger buffer", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const values = Float32Array.from({ length: 5 * 3 }, (_, i) => i / 7);
    const w = backend.tensor([5, 3], values, { ownBuffer: true, usage: vertexUsage });
    const rule = adam({ learningRate: 0.01 });
    const optimizer = createOptimizer(rule, { w });
    const expectedTensor = reference().tensor([5, 3], values);
    const expected = createOptimizer(rule, { w: expectedTensor });
    const step = (rows: number): void => {
      const gradient = Float32Array.from({ length: rows * 3 }, (_, i) => Math.cos(i));
      optimizer.step({ w: gradient });
      expected.step({ w: gradient });
    };
    step(5);
    const before = w.memory.buffer;
    const indices = Uint32Array.of(4, 0, 0, 1, 2, 3, 4);
    optimizer.rows().remap(indices);
    expected.rows().remap(indices);
    expect(w.memory.buffer).not.toBe(before);
    expect(w.memory.buffer.usage).toBe(before.usage);
    expect(w.memory.buffer.size).toBeGreaterThanOrEqual(7.5 * 12);
    step(7);
    optimizer.rows().remap(Uint32Array.of(6, 5));
    expected.rows().remap(Uint32Array.of(6, 5));
    step(2);
    const got = await w.read();
    const wanted = await expectedTensor.read();
    for (let i = 0; i < 6; i += 1) expect(got[i]).toBeCloseTo(wanted[i], 5);
    // The old buffer is destroyed: the device refuses to copy from it.
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(before, 0, w.memory.buffer, 0, 4);
    device.queue.submit([encoder.finish()]);
    expect((await device.popErrorScope())?.message).toMatch("destroyed");
    backend.dispose();
  });

  test("free and dispose destroy them", async () => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const freed = backend.tensor([4], undefined, { ownBuffer: true });
    const kept = backend.tensor([4], undefined, { ownBuffer: true });
    const isDestroyed = async (buffer: GPUBuffer): Promise<boolean> => {
      device.pushErrorScope("validation");
      device.queue.writeBuffer(buffer, 0, new Float32Array(1));
      return (await device.popErrorScope()) !== null;
    };
    const buffers = [freed.memory.buffer, kept.memory.buffer];
    freed.free();
    expect(await Promise.all(buffers.map(isDestroyed))).toEqual([true, false]);
    backend.dispose();
    expect(await isDestroyed(buffers[1])).toBe(true);
  });

  test("options that have no meaning, and sizes that the device refuses, are typed errors", async () => {
    const backend = await newBackend();
    const code = (options: object, shape = [2]): unknown => {
      try {
        return backend.tensor(shape, undefined, options as never).shape;
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    };
    expect(code({ ownBuffer: true, usage: 0 })).toEqual([2]);
    expect(code({})).toBe("UNKNOWN_OPTION");
    expect(code({ ownBuffer: false })).toBe("UNKNOWN_OPTION");
    expect(code({ ownBuffer: true, label: "w" })).toBe("UNKNOWN_OPTION");
    expect(code({ ownBuffer: true, usage: 0x1 })).toBe("INVALID_MEMORY");
    expect(code({ ownBuffer: true, usage: -1 })).toBe("INVALID_MEMORY");
    expect(code({ ownBuffer: true, usage: "VERTEX" })).toBe("INVALID_MEMORY");
    const { maxBufferSize } = backend.device.limits;
    expect(code({ ownBuffer: true }, [maxBufferSize / 4 + 1])).toBe("OUT_OF_MEMORY");
  });
});
