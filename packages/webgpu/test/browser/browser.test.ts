import { conformance, parseGolden, replay, wgsl } from "@gradstep/conformance";
import { adam, createOptimizer } from "@gradstep/core";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { describe, expect, test } from "vitest";
import keras from "../../../conformance/fixtures/keras.json?raw";
import optax from "../../../conformance/fixtures/optax.json?raw";
import torch from "../../../conformance/fixtures/torch.json?raw";

// One device for all, as a page has: what it has compiled is kept.
const { device } = await webgpu();
const fresh = (): WebGpu => webgpu({ device });

test("the device has the adapter's limits", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  expect(device.limits.maxBufferSize).toBe(adapter!.limits.maxBufferSize);
  expect(device.limits.maxStorageBufferBindingSize).toBe(
    adapter!.limits.maxStorageBufferBindingSize,
  );
});

test("a backend that made its device destroys it", async () => {
  const own = await webgpu();
  own.dispose();
  await own.device.lost;
  expect(() => own.tensor([1])).toThrow("disposed");
});

test("a lost device is a typed error", async () => {
  const own = await webgpu();
  const w = own.tensor([3]);
  const optimizer = createOptimizer(adam(), { w });
  own.device.destroy();
  await own.device.lost;
  expect(() => optimizer.step({ w: new Float32Array(3) })).toThrow(
    expect.objectContaining({ code: "DEVICE_LOST" }) as Error,
  );
});

describe("golden runs", () => {
  test.each([
    ["keras", keras],
    ["torch", torch],
    ["optax", optax],
  ])("%s: every step inside the bound", async (name, text) => {
    const results = await replay(parseGolden(text, name), { backend: fresh, model: wgsl });
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
    expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(10);
  });
});

const skip = (name: string): void => {
  test(`does not apply, and is refused: ${name}`, () => {
    expect(() => fresh().wrap(new Float32Array(1) as never)).toThrow("expected a GPUBuffer");
  });
};
const run = test.bind(undefined) as (name: string, body: () => Promise<void>) => void;

describe("conformance", () => {
  conformance({
    backend: fresh,
    model: wgsl,
    wrapsArrays: false,
    cases: 100,
    describe,
    test: Object.assign(run, { skip }),
  });
});
