import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu, type WebGpuTensor } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingEncoder } from "./counting-device.js";
import { describe, sharedDevice } from "./gpu.js";

const columns = { position: 3, scale: 3, rotation: 4, opacity: 1, color: 3 };
const names = Object.keys(columns) as (keyof typeof columns)[];
const groups = names.slice(1).map((match, i) => ({ match, learningRate: 0.01 * (i + 1) }));

describe("five attributes with five learning rates", () => {
  // Regions of one buffer, as apps/site/content/guide/bring-your-trainer.md gives them; the number of points is arbitrary.
  test.each([1000, 1001])("%d rows in regions of two buffers: one dispatch", async (rows) => {
    const device = await sharedDevice();
    const backend = webgpu({ device });
    const offsets = new Map<string, number>();
    let length = 0;
    for (const name of names) {
      offsets.set(name, length);
      length += Math.ceil((rows * columns[name]) / 64) * 64;
    }
    const usage = 0x80 | 0x04 | 0x08;
    const [parameterBuffer, gradientBuffer] = [0, 1].map(() =>
      device.createBuffer({ size: length * 4, usage }),
    );
    const regionsOf = (buffer: GPUBuffer): Record<string, WebGpuTensor> =>
      Object.fromEntries(
        names.map((name) => [
          name,
          backend.wrap(buffer, { shape: [rows, columns[name]], offset: offsets.get(name)! }),
        ]),
      );
    const parameters = regionsOf(parameterBuffer);
    const gradients = regionsOf(gradientBuffer);
    const values = Object.fromEntries(
      names.map((name) => [
        name,
        Float32Array.from({ length: rows * columns[name] }, (_, i) => Math.sin(i)),
      ]),
    );
    for (const name of names) gradients[name].write(values[name]);

    const rule = adam({ learningRate: 0.1 });
    const optimizer = createOptimizer(rule, parameters, { groups });
    for (let step = 0; step < 3; step += 1) {
      const real = device.createCommandEncoder();
      const { encoder, counts } = countingEncoder(real);
      optimizer.encode(encoder, gradients);
      expect(counts).toEqual({ dispatches: 1, passes: 1 });
      device.queue.submit([real.finish()]);
    }

    const exact = reference();
    const host = Object.fromEntries(
      names.map((name) => [name, exact.tensor([rows, columns[name]])]),
    );
    const expected = createOptimizer(rule, host, { groups });
    for (let step = 0; step < 3; step += 1) expected.step(values);
    for (const name of names) {
      const [got, wanted] = [await parameters[name].read(), await host[name].read()];
      expect(got.findIndex((value, i) => !(Math.abs(value - wanted[i]) < 1e-5))).toBe(-1);
    }
    backend.dispose();
  });
});
