import { adam, createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { describe, newDevice } from "./gpu.js";

describe("a wrong call says what to do", () => {
  test("a device in place of options", async () => {
    const device = await newDevice();
    expect(() => webgpu(device as never)).toThrow("Pass { device }");
  });

  test.each<[string, unknown, string]>([
    [
      "the object that nodeGpu gives",
      { gpu: { gpu: {}, description: "" } },
      "(await nodeGpu()).gpu",
    ],
    ["a promise of a GPU", { gpu: Promise.resolve() }, "gpu is a Promise"],
    ["no GPU", { gpu: null }, "expected navigator.gpu"],
    ["an unknown power preference", { powerPreference: "fast" }, '"high-performance"'],
  ])("%s", (_, options, remedy) => {
    expect(() => webgpu(options as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_HYPERPARAMETER",
        message: expect.stringContaining(remedy) as string,
      }),
    );
  });

  test("what is no variant is not compiled", async () => {
    const backend = webgpu({ device: await newDevice() });
    for (const value of [undefined, null, adam(), Symbol("s")])
      expect(() => backend.compile(value as never)).toThrow(
        expect.objectContaining({ code: "INVALID_RULE" }),
      );
  });

  test("an encoder that is undefined moves no rows", async () => {
    const backend = webgpu({ device: await newDevice() });
    const w = backend.tensor([2], [1, 2]);
    const rows = createOptimizer(adam(), { w }).rows();
    expect(() => rows.encodeRemap(undefined as never, Uint32Array.of(1, 0, 1))).toThrow(
      "Got undefined to encode into; expected a GPUCommandEncoder",
    );
    expect([rows.count, w.shape, await w.read()]).toEqual([2, [2], Float32Array.of(1, 2)]);
  });

  test("a gradient of a backend on another device", async () => {
    const [own, other] = [
      webgpu({ device: await newDevice() }),
      webgpu({ device: await newDevice() }),
    ];
    const optimizer = createOptimizer(adam(), { w: own.tensor([2]) });
    expect(() => optimizer.step({ w: other.tensor([2]) })).toThrow(
      "is a tensor of another backend (webgpu)",
    );
  });
});
