import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  identity,
  sgd,
  type Optimizer,
  type Tensor,
} from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { beforeAll, expect, test } from "vitest";
import { countingDevice } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";

const refused = { name: "GradstepError", code: "INVALID_MEMORY" };

interface Wrapped {
  readonly buffer: GPUBuffer;
  readonly tensor: Tensor;
}

function wrap(backend: WebGpu, values: readonly number[]): Wrapped {
  const buffer = bufferOf(backend.device, Float32Array.from(values));
  return { buffer, tensor: backend.wrap(buffer) };
}

interface StepOptions {
  readonly rule?: ReturnType<typeof sgd>;
  readonly options?: { readonly nonFinite: "skip" };
}

describe("a wrapped buffer that was destroyed", () => {
  // The errors are expected: otherwise Dawn prints them.
  beforeAll(async () => {
    (await sharedDevice()).addEventListener("uncapturederror", (event) => event.preventDefault());
  });

  test("read rejects instead of giving the values of another tensor, and so does ready, once", async () => {
    const backend = await newBackend();
    const { buffer, tensor } = wrap(backend, [1, 2, 3, 4]);
    const other = backend.tensor([4], [11, 22, 33, 44]);
    expect([...(await tensor.read())]).toEqual([1, 2, 3, 4]);
    expect([...(await other.read())]).toEqual([11, 22, 33, 44]);
    buffer.destroy();
    const both = await Promise.allSettled([tensor.read(), other.read()]);
    expect(both).toMatchObject([
      { status: "rejected", reason: refused },
      { status: "fulfilled", value: Float32Array.of(11, 22, 33, 44) },
    ]);
    await expect(backend.ready()).rejects.toMatchObject(refused);
    await backend.ready();
  });

  test("write, pack and remap make ready reject", async () => {
    const backend = await newBackend();
    const { buffer, tensor } = wrap(backend, [1, 2, 3, 4]);
    const mirror = backend.wrap(bufferOf(backend.device, new Float32Array(2)), { dtype: "f16" });
    const moved = backend.tensor([4], [1, 2, 3, 4]);
    buffer.destroy();
    for (const action of [
      () => tensor.write([5, 6, 7, 8]),
      () => backend.fillCopy(tensor, { target: mirror, activation: identity }),
      () =>
        backend.remap(
          [tensor, moved].map((one) => ({ tensor: one, initial: 0, reset: "added" as const })),
          { count: 4, indices: Uint32Array.of(3, 2, 1, 0) },
        ),
    ]) {
      action();
      await expect(backend.ready()).rejects.toMatchObject(refused);
      await backend.ready();
    }
    // No row has moved, although the tensors have their new shape.
    await expect(moved.read()).rejects.toMatchObject(refused);
  });

  const steps: readonly [
    string,
    (optimizer: Optimizer<never>, w: Tensor, device: GPUDevice) => void,
  ][] = [
    ["step", (optimizer, w) => optimizer.step({ w })],
    [
      "encode",
      (optimizer, w, device) => {
        const encoder = device.createCommandEncoder();
        optimizer.encode(encoder, { w });
        device.queue.submit([encoder.finish()]);
      },
    ],
  ];

  test.each(steps)("%s with a destroyed gradient: the next read rejects", async (_, step) => {
    const backend = await newBackend();
    const { buffer, tensor: gradient } = wrap(backend, [1, 1]);
    const w = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    step(optimizer, gradient, backend.device);
    expect([...(await w.read())]).toEqual([0, 1]);
    buffer.destroy();
    // The step was submitted before.
    expect([...(await w.read())]).toEqual([0, 1]);
    await backend.ready();
    step(optimizer, gradient, backend.device);
    await expect(w.read()).rejects.toMatchObject(refused);
    expect([...(await w.read())]).toEqual([0, 1]);
    expect(optimizer.iterations).toBe(2);
  });

  test("a destroyed parameter, mask or mirror: the next read or ready rejects", async () => {
    const backend = await newBackend();
    const gradients = { w: Float32Array.of(1, 1) };
    for (const destroyed of ["parameter", "mask", "mirror"] as const) {
      const parameter = wrap(backend, [1, 2]);
      const words = bufferOf(backend.device, Float32Array.of(1, 1));
      const halves = bufferOf(backend.device, new Float32Array(1));
      const optimizer = createOptimizer(
        adam(),
        { w: parameter.tensor },
        { copies: { w: backend.wrap(halves, { dtype: "f16" }) } },
      );
      const rows = backend.wrap(words, { dtype: "u32" });
      optimizer.step(gradients, { rows });
      await backend.ready();
      ({ parameter: parameter.buffer, mask: words, mirror: halves })[destroyed].destroy();
      optimizer.step(gradients, { rows });
      await expect(optimizer.state()).rejects.toMatchObject(refused);
      optimizer.step(gradients, { rows });
      await expect(backend.ready()).rejects.toMatchObject(refused);
    }
  });

  test.each<readonly [string, StepOptions]>([
    ["", {}],
    [" with a global norm", { rule: chain(clipByGlobalNorm(1), sgd({ learningRate: 1 })) }],
    [" that is guarded", { options: { nonFinite: "skip" } }],
  ])(
    "a step%s encoded before a remap and submitted after it: the next read rejects",
    async (_, how) => {
      const { rule = sgd({ learningRate: 1 }), options = {} } = how;
      const backend = await newBackend();
      const { device } = backend;
      const w = backend.tensor([2], [1, 2]);
      const optimizer = createOptimizer(rule, { w }, options);
      const gradient = optimizer.gradient("w");
      gradient.write([0.25, 0.25]);
      const encoded = (): GPUCommandBuffer => {
        const encoder = device.createCommandEncoder();
        optimizer.encode(encoder, { w: gradient });
        return encoder.finish();
      };
      // A step that was submitted before the remap is taken.
      device.queue.submit([encoded()]);
      optimizer.rows().remap(Uint32Array.of(1, 0));
      expect([...(await w.read())]).toEqual([1.75, 0.75]);
      for (const rows of [Uint32Array.of(1, 0), new Uint32Array(2000)]) {
        const late = encoded();
        optimizer.rows().remap(rows);
        const before = await w.read();
        device.queue.submit([late]);
        await expect(w.read()).rejects.toMatchObject({
          ...refused,
          message: expect.stringContaining("encoded before rows were remapped") as string,
        });
        await expect(backend.ready()).rejects.toMatchObject(refused);
        await backend.ready();
        expect(await w.read()).toEqual(before);
      }
      expect(optimizer.iterations).toBe(3);
    },
  );

  test("errors of other work on the device are not reported", async () => {
    const backend = await newBackend();
    const { buffer, tensor: gradient } = wrap(backend, [1, 1]);
    const w = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    optimizer.step({ w: gradient });
    const { device } = backend;
    device.queue.writeBuffer(device.createBuffer({ size: 4, usage: 0x80 }), 0, new Float32Array(1));
    expect([...(await w.read())]).toEqual([0, 1]);
    await backend.ready();
    buffer.destroy();
    await backend.ready();
  });

  test("a step opens no error scope", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const w = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(sgd(), { w });
    const gradients = { w: optimizer.gradient("w") };
    optimizer.step(gradients);
    const before = counts.pushErrorScope;
    for (let i = 0; i < 5; i += 1) optimizer.step(gradients);
    expect(counts.pushErrorScope).toBe(before);
    backend.dispose();
  });
});
