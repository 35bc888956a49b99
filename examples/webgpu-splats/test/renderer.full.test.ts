import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { GaussianRows, gaussianRows, gradientUnit, rowLength } from "../src/gaussian-rows.js";
import { readBytes } from "../src/gpu/buffers.js";
import { Renderer } from "../src/renderer/renderer.js";
import { camerasAround } from "../src/scene/cameras.js";
import { Random } from "../src/scene/random.js";
import { skipsGpu } from "./device.js";
import { ReferenceRenderer } from "./reference-renderer.js";

const count = 24;
const options = { size: 24, focalLength: 1.15 };
const cameras = camerasAround(3, 0.3);
const views = [2, 0];
const camera = (index: number): Float32Array => cameras.subarray(16 * index, 16 * index + 16);

/** Activated rows. Some Gaussians are almost opaque, so that colors in front and behind matter. */
function randomRows(): Float32Array<ArrayBuffer> {
  const random = new Random(5);
  const between = (low: number, high: number): number => low + (high - low) * random.unit();
  return gaussianRows(
    Array.from({ length: count }, () => {
      const quaternion = [0, 1, 2, 3].map(() => between(-1, 1));
      const length = Math.hypot(...quaternion);
      return {
        position: [between(-0.8, 0.8), between(-0.8, 0.8), between(-0.8, 0.8)],
        opacity: between(0.1, 0.98),
        scale: [between(0.04, 0.3), between(0.04, 0.3), between(0.04, 0.3)],
        rotation: quaternion.map((value) => value / length),
        color: [between(0, 1), between(0, 1), between(0, 1)],
      };
    }),
  );
}

async function renderOnGpu(rows: Float32Array<ArrayBuffer>): Promise<{
  readonly images: Float32Array;
  readonly targets: Float32Array;
  readonly gradients: Float64Array;
}> {
  const backend = await webgpu();
  const { device } = backend;
  const buffers = new GaussianRows(device, 40);
  buffers.count = count;
  device.queue.writeBuffer(buffers.activated, 0, rows);
  const renderer = new Renderer(buffers, cameras, options);
  const images = await renderer.render();
  const random = new Random(9);
  const targets = Float32Array.from(images, () => random.unit());
  renderer.setTargets(targets);
  renderer.setViews(views);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  renderer.forward(pass);
  renderer.backward(pass);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const bytes = await readBytes(device, buffers.gradients, count * rowLength * 4);
  const gradients = Float64Array.from(new Int32Array(bytes), (value) => value * gradientUnit);
  backend.dispose();
  return { images, targets, gradients };
}

test.skipIf(skipsGpu)("images and gradients are those of a renderer in f64", async () => {
  const rows = randomRows();
  const { images, targets, gradients } = await renderOnGpu(rows);
  const reference = new ReferenceRenderer(options.size, options.focalLength);
  const exact = Float64Array.from(rows);
  const shown = [0, 1, 2].map((view) => reference.contributors(exact, camera(view)));
  const expected = [0, 1, 2].flatMap((view) => reference.render(exact, camera(view), shown[view]));
  const worst = expected.reduce((all, value, i) => Math.max(all, Math.abs(value - images[i])), 0);
  expect(worst).toBeLessThan(1e-4);

  // The slope of the loss at each pixel, and which Gaussians a pixel shows, are those of the unchanged rows.
  const length = options.size ** 2 * 4;
  const loss = (changed: Float64Array): number => {
    let sum = 0;
    for (const view of views) {
      reference.render(changed, camera(view), shown[view]).forEach((value, i) => {
        const at = view * length + i;
        const slope = Math.min(1, Math.max(-1, 255 * (expected[at] - targets[at])));
        if (i % 4 !== 3) sum += slope * value;
      });
    }
    return sum / (3 * options.size ** 2 * views.length);
  };
  const differences = exact.map((value, i) => {
    const step = 1e-5;
    const at = (to: number): number => {
      const changed = exact.slice();
      changed[i] = to;
      return loss(changed);
    };
    return (at(value + step) - at(value - step)) / (2 * step);
  });
  // The reference normalizes quaternions: only the part of a gradient that is tangent counts.
  for (let row = 0; row < count; row += 1) {
    const at = row * rowLength + 8;
    const quaternion = exact.subarray(at, at + 4);
    const gradient = gradients.subarray(at, at + 4);
    const along = quaternion.reduce((sum, value, k) => sum + value * gradient[k], 0);
    quaternion.forEach((value, k) => (gradient[k] -= along * value));
  }
  for (let column = 0; column < rowLength; column += 1) {
    const ofColumn = (values: Float64Array): Float64Array =>
      values.filter((_, i) => i % rowLength === column);
    const [own, exactOnes] = [ofColumn(gradients), ofColumn(differences)];
    const largest = Math.max(...exactOnes.map(Math.abs));
    const isUsed = column !== 7 && column !== 15;
    expect(largest > 1e-3).toBe(isUsed);
    own.forEach((value, row) => {
      expect(
        Math.abs(value - exactOnes[row]),
        `row ${row}, column ${column}: ${value} and ${exactOnes[row]}`,
      ).toBeLessThanOrEqual(1e-3 * largest);
    });
  }
});
