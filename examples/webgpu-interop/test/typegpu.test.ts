import { createOptimizer } from "@gradstep/core";
import tgpu from "typegpu";
import * as d from "typegpu/data";
import { expect, test } from "vitest";
import { gradientShader, pointArray, pointTensors } from "../src/typegpu.js";
import { distance, expectedFit, numbers, rule } from "./fit.js";
import { backendWith, describe } from "./gpu.js";

const count = 100;
const steps = 20;

describe("TypeGPU", () => {
  test("fields of an array of structs are parameters, and their gradients fields of another", async () => {
    const backend = await backendWith([]);
    const { device } = backend;
    const root = tgpu.initFromDevice({ device });
    const position = numbers(3 * count, 1);
    const opacity = numbers(count, 2);
    const goals = Array.from({ length: count }, (_, i) => ({
      position: d.vec3f(position[3 * i], position[3 * i + 1], position[3 * i + 2]),
      opacity: opacity[i],
    }));
    const points = root.createBuffer(pointArray(count)).$usage("storage");
    const targets = root.createBuffer(pointArray(count), goals).$usage("storage");
    const gradients = root.createBuffer(pointArray(count)).$usage("storage");

    const optimizer = createOptimizer(rule, pointTensors(backend, root, points));
    const gradientTensors = pointTensors(backend, root, gradients);
    const recordGradients = gradientShader(root, points, targets, gradients);
    for (let step = 0; step < steps; step += 1) {
      const encoder = device.createCommandEncoder();
      recordGradients(encoder);
      optimizer.encode(encoder, gradientTensors);
      device.queue.submit([encoder.finish()]);
    }
    await backend.ready();

    // TypeGPU reads what the optimizer has written.
    const fitted = await points.read();
    const wantedPosition = await expectedFit(position, steps);
    const wantedOpacity = await expectedFit(opacity, steps);
    expect(
      distance(
        fitted.flatMap((point) => [...point.position]),
        wantedPosition,
      ),
    ).toBeLessThan(1e-5);
    expect(
      distance(
        fitted.map((point) => point.opacity),
        wantedOpacity,
      ),
    ).toBeLessThan(1e-5);
    root.destroy();
    device.destroy();
  });

  test("a tensor in a buffer of its own is a buffer of TypeGPU", async () => {
    const backend = await backendWith([]);
    const root = tgpu.initFromDevice({ device: backend.device });
    const values = numbers(4 * count, 3);
    const w = backend.tensor([count, 4], values, { ownBuffer: true });
    const vectors = root.createBuffer(d.arrayOf(d.vec4f, count), w.memory.buffer);
    createOptimizer(rule, { w }).step({ w: new Float32Array(4 * count).fill(1) });
    // The first step of Adam is the learning rate.
    const wanted = values.map((value) => value - 0.1);
    const read = await vectors.read();
    expect(
      distance(
        read.flatMap((vector) => [...vector]),
        wanted,
      ),
    ).toBeLessThan(1e-5);
    root.destroy();
    backend.device.destroy();
  });
});
