import { createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { Fn, instanceIndex, storage } from "three/tsl";
import { StorageBufferAttribute, WebGPURenderer } from "three/webgpu";
import { expect, test } from "vitest";
import { attributeTensor } from "../../src/three.js";
import { distance, expectedFit, numbers, rule } from "../fit.js";

const count = 100;
const steps = 20;

test("storage attributes of three.js are parameters and gradients, items of three values included", async () => {
  const backend = await webgpu();
  const renderer = new WebGPURenderer({ device: backend.device });
  await renderer.init();
  const targets = numbers(3 * count, 1);
  const attributes = {
    positions: new StorageBufferAttribute(count, 3),
    targets: new StorageBufferAttribute(targets, 3),
    gradients: new StorageBufferAttribute(count, 3),
  };
  const positions = attributeTensor(backend, renderer, attributes.positions, 3);
  const gradients = attributeTensor(backend, renderer, attributes.gradients, 3);
  expect(positions.memory.buffer.size).toBe(16 * count);
  const optimizer = createOptimizer(rule, { positions });

  const node = (attribute: StorageBufferAttribute) => storage(attribute, "vec3", count);
  const distanceGradient = Fn(() => {
    const position = node(attributes.positions).element(instanceIndex);
    const target = node(attributes.targets).element(instanceIndex);
    node(attributes.gradients).element(instanceIndex).assign(position.sub(target));
  })().compute(count);
  for (let step = 0; step < steps; step += 1) {
    await renderer.compute(distanceGradient);
    optimizer.step({ positions: gradients });
  }
  await backend.ready();

  // three.js reads what the optimizer has written: rows of four values, the last of them padding.
  const read = new Float32Array(await renderer.getArrayBufferAsync(attributes.positions));
  const items = Array.from({ length: count }, (_, i) => [...read.subarray(4 * i, 4 * i + 3)]);
  expect(distance(items.flat(), await expectedFit(targets, steps))).toBeLessThan(1e-5);
  expect(Array.from({ length: count }, (_, i) => read[4 * i + 3])).toEqual(
    Array.from({ length: count }, () => 0),
  );
  await renderer.dispose();
  backend.dispose();
});
