import type { WebGpu } from "@gradstep/webgpu";
import { attributes, mirrorStride } from "./attributes.js";
import { readBytes } from "./buffers.js";
import { ByHand } from "./by-hand/by-hand.js";
import { Densifier } from "./densifier.js";
import { dispatchCounter, type DispatchCounter } from "./dispatch-counter.js";
import { Scene } from "./scene.js";
import type { Trainer } from "./trainer.js";
import { WithGradstep } from "./with-gradstep.js";

/** The results of a trainer, and the dispatches that it recorded. */
export interface Run {
  readonly rows: number;
  readonly values: Readonly<Record<string, Float32Array>>;
  /** The renderer's mirror, as f16 bits. */
  readonly mirror: Uint16Array;
  /** Number of steps by their number of dispatches. */
  readonly stepDispatches: ReadonlyMap<number, number>;
  readonly remapDispatches: ReadonlySet<number>;
}

export interface TrainingSize {
  readonly rows: number;
  readonly steps: number;
  /** The scene is densified every `densifyEvery` steps. */
  readonly densifyEvery: number;
}

/** Runs the same simulated training with gradstep and by hand. */
export async function runBoth(
  backend: WebGpu,
  size: TrainingSize,
): Promise<{ readonly withGradstep: Run; readonly byHand: Run }> {
  const { device } = backend;
  const count = dispatchCounter(device);
  return {
    withGradstep: await run(device, size, count, (...all) => new WithGradstep(backend, ...all)),
    byHand: await run(device, size, count, (...all) => new ByHand(...all)),
  };
}

/** The largest difference between values of two runs. */
export function difference(one: Run, other: Run): number {
  let largest = 0;
  for (const { name } of attributes) {
    const [a, b] = [one.values[name], other.values[name]];
    if (a.length !== b.length) return Infinity;
    for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  }
  return largest;
}

async function run(
  device: GPUDevice,
  { rows, steps, densifyEvery }: TrainingSize,
  count: DispatchCounter,
  create: (
    scene: Scene,
    initial: Record<string, Float32Array<ArrayBuffer>>,
    rows: number,
  ) => Trainer,
): Promise<Run> {
  const scene = new Scene(device, Math.ceil(rows * 1.25));
  const densifier = new Densifier(device, scene.successors, scene.capacity);
  const trainer = create(scene, scene.initial(rows), rows);
  const stepDispatches = new Map<number, number>();
  const remapDispatches = new Set<number>();
  let currentRows = rows;
  for (let step = 1; step <= steps; step += 1) {
    scene.backward(currentRows);
    const encoder = device.createCommandEncoder();
    const dispatches = count(() => trainer.step(encoder));
    device.queue.submit([encoder.finish()]);
    stepDispatches.set(dispatches, (stepDispatches.get(dispatches) ?? 0) + 1);
    if (step % densifyEvery !== 0) continue;
    scene.chooseSuccessors(currentRows);
    const densified = await densifier.densify(currentRows);
    remapDispatches.add(count(() => trainer.remap(densified)));
    currentRows = densified.count;
  }
  const values: Record<string, Float32Array> = {};
  for (const { name } of attributes) values[name] = await trainer.read(name);
  const mirror = new Uint16Array(
    await readBytes(device, scene.mirror, currentRows * mirrorStride * 2),
  );
  return { rows: currentRows, values, mirror, stepDispatches, remapDispatches };
}
