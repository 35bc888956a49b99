import { adam, createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { describe, newDevice } from "./gpu.js";

describe("a wrong call says what to do", () => {
  test("a device in place of options", async () => {
    const device = await newDevice();
    expect(() => webgpu(device as never)).toThrow("Pass { device }");
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
