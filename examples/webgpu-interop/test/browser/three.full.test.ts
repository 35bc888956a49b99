import { createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { Fn, instanceIndex, storage, vec2 } from "three/tsl";
import {
  OrthographicCamera,
  RenderTarget,
  Scene,
  Sprite,
  SpriteNodeMaterial,
  StorageBufferAttribute,
  WebGPURenderer,
} from "three/webgpu";
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

test("three.js draws the points where the optimizer has moved them", async () => {
  const backend = await webgpu();
  const renderer = new WebGPURenderer({ device: backend.device });
  await renderer.init();
  const attribute = new StorageBufferAttribute(1, 3);
  const position = attributeTensor(backend, renderer, attribute, 3);
  const optimizer = createOptimizer(rule, { position });

  // A square of 2 × 2 pixels around the point, on a black picture of 16 × 16 pixels that shows −1 to 1.
  const size = 16;
  const material = new SpriteNodeMaterial({ color: 0xffffff });
  material.positionNode = storage(attribute, "vec3", 1).element(instanceIndex);
  material.scaleNode = vec2(4 / size);
  const scene = new Scene().add(new Sprite(material));
  const camera = new OrthographicCamera(-1, 1, 1, -1, -1, 1);
  const picture = new RenderTarget(size, size);
  const litPixels = async (): Promise<readonly (readonly [x: number, y: number])[]> => {
    renderer.setRenderTarget(picture);
    renderer.render(scene, camera);
    const pixels = await renderer.readRenderTargetPixelsAsync(picture, 0, 0, size, size);
    return Array.from(
      { length: size * size },
      (_, i) => [i % size, Math.floor(i / size)] as const,
    ).filter(([x, y]) => pixels[4 * (y * size + x)] > 0);
  };
  const squareAt = (x: number): unknown => [
    [x, 7],
    [x + 1, 7],
    [x, 8],
    [x + 1, 8],
  ];
  expect(await litPixels()).toEqual(squareAt(7));
  // With equal gradients, each step of Adam is the learning rate: five of them are 0.5, or four pixels.
  for (let step = 0; step < 5; step += 1) optimizer.step({ position: Float32Array.of(-1, 0, 0) });
  expect(await litPixels()).toEqual(squareAt(11));
  await renderer.dispose();
  backend.dispose();
});
