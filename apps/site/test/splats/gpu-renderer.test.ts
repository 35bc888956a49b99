import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { Renderer as CpuRenderer } from "../../src/splats/cpu/renderer.js";
import { readBuffers } from "../../src/splats/gpu/buffers.js";
import { Renderer } from "../../src/splats/gpu/renderer.js";
import { SplatBuffers, statisticsUnit } from "../../src/splats/gpu/splat-buffers.js";
import { gradientUnit, rowLength } from "../../src/splats/splat-rows.js";
import { skipsGpu } from "./device.js";
import { randomPicture, randomSplats } from "./random-splats.js";

// Three columns and two rows of tiles, of which the last ones are cut off.
const picture = randomPicture(37, 26);
const count = 90;
const capacity = 100;

test.skipIf(skipsGpu)(
  "the GPU computes the image, gradients and statistics of the renderer in f64",
  async () => {
    const rows = randomSplats(count, picture);
    const backend = await webgpu();
    const { device } = backend;
    const splats = new SplatBuffers(device, capacity, rows);
    device.queue.writeBuffer(splats.activated, 0, rows);
    const renderer = new Renderer(splats, picture);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    renderer.forward(pass);
    renderer.backward(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const [imageBytes, gradientBytes, statisticsBytes] = await readBuffers(device, [
      renderer.image,
      splats.gradients,
      splats.statistics,
    ]);
    backend.dispose();

    const reference = new CpuRenderer(picture);
    const exact = Float64Array.from(rows);
    const gradients = new Float64Array(capacity * rowLength);
    const statistics = { coverage: new Float64Array(capacity), error: new Float64Array(capacity) };
    reference.forward(exact, count);
    reference.backward(exact, count, picture, gradients, statistics);

    const image = new Float32Array(imageBytes);
    reference.image.forEach((value, i) => {
      expect(Math.abs(image[i] - value)).toBeLessThanOrEqual(1e-4 * Math.max(1, value));
    });
    const own = new Int32Array(gradientBytes);
    for (let column = 0; column < rowLength; column += 1) {
      const expected = gradients.filter((_, i) => i % rowLength === column);
      const largest = Math.max(...expected.map(Math.abs));
      // Rounding of f32, and half a unit per tile.
      const bound = 1e-4 * largest + 3 * gradientUnit;
      expected.forEach((value, row) => {
        const got = own[row * rowLength + column] * gradientUnit;
        expect(Math.abs(got - value), `row ${row}, column ${column}`).toBeLessThanOrEqual(bound);
      });
    }
    // Rounded down, per tile.
    const counted = new Uint32Array(statisticsBytes);
    for (let row = 0; row < capacity; row += 1) {
      const values = [statistics.coverage[row], statistics.error[row]];
      values.forEach((value, k) => {
        const got = counted[2 * row + k] * statisticsUnit;
        expect(Math.abs(got - value)).toBeLessThanOrEqual(6.1 * statisticsUnit + 1e-4 * value);
      });
    }
  },
);
