import { adam, createOptimizer, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder, type Counts } from "./counting-device.js";
import { bufferOf, describe, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

const groups = [{ match: /bias/, weightDecay: 0 }];

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? `kernel${i}` : `bias${i}`));
}

describe("calls of the device", () => {
  test.each([
    [1, 1, "without reserve"],
    [180, 1, "without reserve"],
    [1000, 2, "without reserve"],
    [1000, 1, "after reserve"],
  ])("%i tensors of the backend need %i dispatches per step %s", async (count, dispatches, how) => {
    const real = await sharedDevice();
    const { device, counts } = countingDevice(real);
    const backend = webgpu({ device });
    const random = new Random(1);
    const sizes = names(count).map(() => 1 + random.below(500));
    if (how === "after reserve") backend.reserve(sizes);
    const parameters = Object.fromEntries(
      names(count).map((name, i) => [name, backend.tensor([sizes[i]])]),
    );
    const optimizer = createOptimizer(adam({ weightDecay: 0.1 }), parameters, {
      groups: count > 1 ? groups : [],
    });
    const gradients = Object.fromEntries(
      Object.keys(parameters).map((name) => [name, optimizer.gradient(name)]),
    );
    optimizer.step(gradients);
    const warm: Counts = { ...counts };
    for (let i = 0; i < 5; i += 1) optimizer.step(gradients);
    const since = (key: string): number => (counts[key] ?? 0) - (warm[key] ?? 0);
    const made = Object.keys(counts).filter((key) => /^create(?!CommandEncoder)/.test(key));
    for (const key of made) expect([key, since(key)]).toEqual([key, 0]);
    expect(since("submit")).toBe(5);
    // The scalars of all groups, of 2 steps, then of 4.
    expect(since("writeBuffer")).toBe(2);
    expect(since("mapAsync")).toBe(0);
    const encoder = device.createCommandEncoder();
    const counting = countingEncoder(encoder);
    optimizer.encode(counting.encoder, gradients);
    expect(counting.counts).toEqual({ dispatches, passes: 1 });
    await backend.ready();
  });

  test("one caller-owned buffer per tensor: one pass, and nothing is created after the first step", async () => {
    const real = await sharedDevice();
    const { device, counts } = countingDevice(real);
    const backend = webgpu({ device });
    const random = new Random(1);
    const wrap = (size: number): Tensor => backend.wrap(bufferOf(real, random.values(size)));
    const parameters = Object.fromEntries(names(20).map((name) => [name, wrap(37)]));
    const gradients = Object.fromEntries(names(20).map((name) => [name, wrap(37)]));
    const otherGradients = Object.fromEntries(names(20).map((name) => [name, wrap(37)]));
    const optimizer = createOptimizer(adam(), parameters, { groups });
    // Two sets of gradients, as with double buffering.
    optimizer.step(gradients);
    optimizer.step(otherGradients);
    const warm: Counts = { ...counts };
    for (let i = 0; i < 5; i += 1) {
      optimizer.step(gradients);
      optimizer.step(otherGradients);
    }
    for (const key of Object.keys(counts).filter((one) => /^create(?!CommandEncoder)/.test(one)))
      expect([key, counts[key] - (warm[key] ?? 0)]).toEqual([key, 0]);
    expect(counts.submit - warm.submit).toBe(10);
    const counting = countingEncoder(device.createCommandEncoder());
    optimizer.encode(counting.encoder, gradients);
    expect(counting.counts).toEqual({ dispatches: 20, passes: 1 });
  });

  test("typed arrays: one write per array, and one submit", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const parameters = { a: backend.tensor([5]), b: backend.tensor([6]) };
    const optimizer = createOptimizer(adam(), parameters);
    const gradients = { a: new Float32Array(5).fill(1), b: new Float32Array(6).fill(1) };
    optimizer.step(gradients);
    const warm: Counts = { ...counts };
    optimizer.step(gradients);
    expect(counts.writeBuffer - warm.writeBuffer).toBe(3);
    expect(counts.submit - warm.submit).toBe(1);
    expect(counts.createBuffer).toBe(warm.createBuffer);
  });

  test("changing hyperparameters compiles nothing", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const optimizer = createOptimizer(adam(), { a: backend.tensor([5]) });
    optimizer.step({ a: new Float32Array(5).fill(1) });
    expect(counts.createComputePipeline).toBe(1);
    optimizer.learningRate = 0.5;
    optimizer.beta1 = 0.5;
    optimizer.weightDecay = 0.5;
    optimizer.step({ a: new Float32Array(5).fill(1) });
    expect(counts.createComputePipeline).toBe(1);
  });

  test("buffers of the backend are destroyed by dispose, and those of tensors by free", async () => {
    const real = await sharedDevice();
    const made: GPUBuffer[] = [];
    const destroyed = new Set<GPUBuffer>();
    const device = new Proxy(real, {
      get(target, key) {
        if (key === "createBuffer")
          return (descriptor: GPUBufferDescriptor) => {
            const buffer = target.createBuffer(descriptor);
            const destroy = buffer.destroy.bind(buffer);
            buffer.destroy = () => {
              destroyed.add(buffer);
              destroy();
            };
            made.push(buffer);
            return buffer;
          };
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const backend = webgpu({ device });
    const parameter = backend.tensor([5]);
    const optimizer = createOptimizer(adam(), { parameter });
    optimizer.step({ parameter: new Float32Array(5) });
    await optimizer.state();
    expect(destroyed.size).toBe(0);
    optimizer.step({ parameter: new Float32Array(5) }, { rows: new Uint32Array(5) });
    optimizer.rows().remap(new Uint32Array(2000), { resetRows: new Uint32Array(2000) });
    optimizer.step({ parameter: new Float32Array(2000) }, { rows: new Uint32Array(2000) });
    optimizer.dispose();
    parameter.free();
    // All but the readback buffer.
    expect(made.length - destroyed.size).toBe(1);
    backend.dispose();
    expect(made.length - destroyed.size).toBe(0);
  });
});
