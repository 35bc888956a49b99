import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { ByHand } from "../src/by-hand/by-hand.js";
import { GaussianRows, rowLength } from "../src/gaussian-rows.js";
import { readBytes, storage } from "../src/gpu/buffers.js";
import type { SplatOptimizer } from "../src/optimizer.js";
import { pointCloud } from "../src/scene/planet.js";
import { Random } from "../src/scene/random.js";
import { WithGradstep } from "../src/with-gradstep.js";
import { skipsGpu } from "./device.js";

const count = 50;
const capacity = 80;
const nextCount = 70;

interface Rows {
  readonly parameters: Float32Array;
  readonly activated: Float32Array;
  readonly gradients: Int32Array;
}

/** 200 steps with random gradients; a reset of opacities after 100, more rows after 150. */
async function run(
  device: GPUDevice,
  create: (rows: GaussianRows) => SplatOptimizer,
): Promise<Rows> {
  const random = new Random(2);
  const rows = new GaussianRows(device, capacity);
  rows.count = count;
  device.queue.writeBuffer(rows.parameters, 0, pointCloud(count));
  const optimizer = create(rows);
  const submit = (record: (encoder: GPUCommandEncoder) => void): void => {
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
  };
  submit((encoder) => optimizer.activate(encoder));
  for (let step = 1; step <= 200; step += 1) {
    // Gradients between -1/16 and 1/16, with 0 in the columns that are not used.
    const gradients = Int32Array.from({ length: rows.count * rowLength }, (_, i) =>
      i % 8 === 7 && i % rowLength !== 11 ? 0 : random.below(2 ** 21) - 2 ** 20,
    );
    device.queue.writeBuffer(rows.gradients, 0, gradients);
    optimizer.setLearningRate("position", 0.01 * 0.99 ** step);
    submit((encoder) => optimizer.step(encoder));
    if (step === 100) submit((encoder) => optimizer.resetState(encoder, "opacity"));
    if (step === 150) {
      const indices = storage(device, "indices", nextCount * 4);
      const fresh = storage(device, "fresh", nextCount * 4);
      const origins = Uint32Array.from({ length: nextCount }, () => random.below(count));
      device.queue.writeBuffer(indices, 0, origins);
      device.queue.writeBuffer(
        fresh,
        0,
        Uint32Array.from(origins, () => random.below(2)),
      );
      rows.count = nextCount;
      submit((encoder) => {
        optimizer.remap(encoder, { count: nextCount, indices, fresh });
        optimizer.activate(encoder);
      });
    }
  }
  const [parameters, activated, gradients] = await Promise.all(
    [rows.parameters, rows.activated, rows.gradients].map((buffer) =>
      readBytes(device, buffer, nextCount * rowLength * 4),
    ),
  );
  return {
    parameters: new Float32Array(parameters),
    activated: new Float32Array(activated),
    gradients: new Int32Array(gradients),
  };
}

test.skipIf(skipsGpu)(
  "parameters, activated rows and gradients are the same after 200 steps",
  async () => {
    const backend = await webgpu();
    const { device } = backend;
    const withGradstep = await run(device, (rows) => new WithGradstep(backend, rows));
    const byHand = await run(device, (rows) => new ByHand(rows));
    backend.dispose();
    const start = pointCloud(count);
    const moved = byHand.parameters.filter(
      (value, i) => Math.abs(value - start[i % start.length]) > 0.01,
    );
    expect(moved.length).toBeGreaterThan(nextCount * 10);
    const difference = (name: "parameters" | "activated"): number =>
      byHand[name].reduce(
        (all, value, i) => Math.max(all, Math.abs(value - withGradstep[name][i])),
        0,
      );
    expect(difference("parameters")).toBeLessThan(1e-4);
    expect(difference("activated")).toBeLessThan(1e-4);
    const zeros = new Int32Array(nextCount * rowLength);
    expect(withGradstep.gradients).toEqual(zeros);
    expect(byHand.gradients).toEqual(zeros);
  },
);
