import { adam, createOptimizer, defineRule, nonNegative, type Values } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice } from "./counting-device.js";
import { bufferOf, describe, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";

/** The largest difference between the device and the reference after two steps. */
async function difference(
  limits: Partial<Record<keyof GPUSupportedLimits, number>>,
  size: number,
  offset?: number,
): Promise<number> {
  const real = await sharedDevice();
  const { device } = countingDevice(real, limits);
  const backend = webgpu({ device });
  const random = new Random(size);
  const values = random.values(size + (offset ?? 0));
  const gradients = random.values(size);
  const w =
    offset === undefined
      ? backend.tensor([size], values)
      : backend.wrap(bufferOf(real, values), { offset, shape: [size] });
  const host = reference();
  const expected = host.tensor([size], values.subarray(offset ?? 0));
  for (const tensor of [w, expected]) {
    const optimizer = createOptimizer(adam({ learningRate: 0.01 }), { w: tensor });
    optimizer.step({ w: gradients });
    optimizer.step({ w: gradients });
  }
  await backend.ready();
  const [got, wanted]: Values[] = [await w.read(), await expected.read()];
  let worst = 0;
  for (let i = 0; i < size; i += 1) worst = Math.max(worst, Math.abs(got[i] - wanted[i]));
  backend.dispose();
  return worst;
}

describe("limits", () => {
  test.each([1024 - 1, 1024, 1024 + 1, 4 * 1024 - 1, 4 * 1024, 4 * 1024 + 1])(
    "bindings of 1,024 values, a tensor of %i",
    async (size) => {
      expect(await difference({ maxStorageBufferBindingSize: 4096 }, size)).toBeLessThan(1e-6);
      expect(await difference({ maxStorageBufferBindingSize: 4096 }, size, 5)).toBeLessThan(1e-6);
    },
  );

  test.each([3 * 1024 - 1, 3 * 1024, 3 * 1024 + 1, 9 * 1024])(
    "three workgroups per dimension, a tensor of %i",
    async (size) => {
      const limits = { maxComputeWorkgroupsPerDimension: 3 };
      expect(await difference(limits, size)).toBeLessThan(1e-6);
    },
  );

  test("more workgroups than the device allows are refused, and no step is counted", async () => {
    const { device } = countingDevice(await sharedDevice(), {
      maxComputeWorkgroupsPerDimension: 3,
    });
    const backend = webgpu({ device });
    const w = backend.tensor([9 * 1024 + 1]);
    const optimizer = createOptimizer(adam(), { w });
    expect(() => optimizer.step({ w: new Float32Array(9 * 1024 + 1) })).toThrow("3 × 3");
    expect(optimizer.iterations).toBe(0);
  });

  test("the real limit: tensors of 128 MiB ± 1 value, and of the largest buffer", async () => {
    const real = await sharedDevice();
    const limit = real.limits.maxStorageBufferBindingSize / 4;
    expect(limit).toBe(2 ** 25);
    const backend = webgpu({ device: real });
    const sgd = defineRule({
      name: "descent",
      hyperparameters: { learningRate: nonNegative(1) },
      slots: {},
      perStep: "",
      perElement: "p = p - g * learningRate",
    });
    for (const size of [limit - 1, limit + 1, 2 * limit]) {
      const w = backend.tensor([size]);
      const optimizer = createOptimizer(sgd(), { w });
      const g = optimizer.gradient("w");
      // Nonzero gradients at the ends and around every 128 MiB.
      const marks = [0, limit - 65, limit - 1, limit, size - 1].filter((at) => at < size);
      const { buffer, byteOffset } = g.memory as { buffer: GPUBuffer; byteOffset: number };
      for (const at of marks)
        real.queue.writeBuffer(buffer, byteOffset + at * 4, new Float32Array([at % 1000]));
      optimizer.step({ w: g });
      await backend.ready();
      const valueAt = (at: number): Promise<Values> =>
        backend
          .wrap((w.memory as { buffer: GPUBuffer }).buffer, {
            offset: w.memory.byteOffset / 4 + at,
            shape: [1],
          })
          .read();
      for (const at of marks) expect((await valueAt(at))[0]).toBe(0 - (at % 1000));
      expect((await valueAt(1))[0]).toBe(0);
      optimizer.dispose();
      w.free();
    }
  });

  test("a tensor that is larger than a buffer: a typed error, and the optimizer is as it was", async () => {
    const { device } = countingDevice(await sharedDevice(), { maxBufferSize: 2 ** 20 });
    const backend = webgpu({ device });
    const a = backend.tensor([2]);
    const optimizer = createOptimizer(adam(), { a });
    expect(() => backend.tensor([2 ** 18 + 1])).toThrow("does not fit");
    const big = backend.wrap(device.createBuffer({ size: 2 ** 21, usage: 0x80 | 0x4 | 0x8 }));
    expect(() => optimizer.add({ big })).toThrow("does not fit");
    expect(optimizer.parameters).toEqual(["a"]);
    optimizer.step({ a: new Float32Array([1, 1]) });
    expect(optimizer.iterations).toBe(1);
  });

  test("more slots than a shader can bind are refused when the rule is compiled", async () => {
    const backend = webgpu({ device: await sharedDevice() });
    const slots = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, 0]));
    const many = defineRule({
      name: "many",
      hyperparameters: { learningRate: nonNegative(1) },
      slots,
      perStep: "",
      perElement: "p = p - g * learningRate - a - b - c - d - e - f",
    });
    expect(() => createOptimizer(many(), { w: backend.tensor([1]) })).toThrow(
      "needs 9 storage buffers",
    );
  });
});
