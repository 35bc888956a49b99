import { bufferUsage, mapMode } from "./gpu-flags.js";
import { webgpu } from "@gradstep/webgpu";
import { ByHand } from "./by-hand.js";
import { fieldNames, fields, rowLength, type TrainerBuffers } from "./rows.js";
import { WithGradstep } from "./with-gradstep.js";

/** The parameters and activated rows of one of the two, after all steps. */
export interface Result {
  readonly parameters: Float32Array;
  readonly activated: Float32Array;
  readonly gradients: Int32Array;
}

/** What the two have computed, and the dispatches that gradstep has recorded. */
export interface Comparison {
  readonly withGradstep: Result;
  readonly byHand: Result;
  /** Dispatches per step, and per reset. */
  readonly stepDispatches: number;
  readonly resetDispatches: number;
  /** The largest |a − b| / max(1, |b|) of parameters and activated values. */
  readonly worst: number;
}

/** Random numbers between −1 and 1 from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Takes the same steps with gradstep and by hand; opacities are reset after each 50th. */
export async function compare(device: GPUDevice, rows: number, steps: number): Promise<Comparison> {
  const size = rows * rowLength * 4;
  const usage = bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST;
  const make = (label: string): TrainerBuffers => ({
    parameters: device.createBuffer({ label: `${label}, parameters`, size, usage }),
    gradients: device.createBuffer({ label: `${label}, gradients`, size, usage }),
    activated: device.createBuffer({ label: `${label}, activated`, size, usage }),
  });
  const random = randomOf(7);
  const start = Float32Array.from({ length: rows * rowLength }, () => 2 * random());
  const [one, other] = [make("gradstep"), make("by hand")];
  const backend = webgpu({ device });
  for (const { parameters } of [one, other]) device.queue.writeBuffer(parameters, 0, start);
  const withGradstep = new WithGradstep(backend, one, rows);
  const byHand = new ByHand(device, other, rows);
  let [stepDispatches, resetDispatches] = [0, 0];
  for (let step = 1; step <= steps; step += 1) {
    const integers = Int32Array.from({ length: rows * rowLength }, () =>
      Math.round(random() * 2 ** 16),
    );
    for (const { gradients } of [one, other]) device.queue.writeBuffer(gradients, 0, integers);
    const encoder = device.createCommandEncoder();
    stepDispatches = dispatchesOf(encoder, (counted) => withGradstep.step(counted));
    byHand.step(encoder);
    if (step % 50 === 0) {
      resetDispatches = dispatchesOf(encoder, (counted) => withGradstep.resetOpacity(counted));
      byHand.resetOpacity(encoder);
    }
    device.queue.submit([encoder.finish()]);
  }
  const results = [await read(device, one), await read(device, other)];
  await backend.ready();
  backend.dispose();
  return {
    withGradstep: results[0],
    byHand: results[1],
    stepDispatches,
    resetDispatches,
    worst: Math.max(
      distance(results[0].parameters, results[1].parameters),
      distance(results[0].activated, results[1].activated),
    ),
  };
}

/** Records into an encoder; returns the number of dispatches. */
function dispatchesOf(
  encoder: GPUCommandEncoder,
  record: (encoder: GPUCommandEncoder) => void,
): number {
  let count = 0;
  const counted = new Proxy(encoder, {
    get: (target, key): unknown => {
      if (key !== "beginComputePass") {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (descriptor?: GPUComputePassDescriptor) => {
        const pass = target.beginComputePass(descriptor);
        const dispatch = pass.dispatchWorkgroups.bind(pass);
        pass.dispatchWorkgroups = (...sizes: Parameters<typeof dispatch>) => {
          count += 1;
          dispatch(...sizes);
        };
        return pass;
      };
    },
  });
  record(counted);
  return count;
}

async function read(device: GPUDevice, buffers: TrainerBuffers): Promise<Result> {
  const words = async (buffer: GPUBuffer): Promise<ArrayBuffer> => {
    const { size } = buffer;
    const staging = device.createBuffer({
      size,
      usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapMode.READ);
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    return bytes;
  };
  return {
    parameters: new Float32Array(await words(buffers.parameters)),
    activated: new Float32Array(await words(buffers.activated)),
    gradients: new Int32Array(await words(buffers.gradients)),
  };
}

/** The largest relative distance of two fields. */
function distance(a: Float32Array, b: Float32Array): number {
  let worst = 0;
  for (let row = 0; row < a.length; row += rowLength) {
    for (const { offset, columns } of fieldNames.map((name) => fields[name])) {
      for (let i = row + offset; i < row + offset + columns; i += 1)
        worst = Math.max(worst, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
    }
  }
  return worst;
}
