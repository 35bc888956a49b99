import type { WebGpu } from "@gradstep/webgpu";
import { attributes, copyStride } from "./attributes.js";
import { readBytes } from "./buffers.js";
import { ByHand } from "./by-hand/by-hand.js";
import { Densifier } from "./densify.js";
import { dispatchCounter, type DispatchCounter } from "./dispatches.js";
import { Scene } from "./scene.js";
import type { Trainer } from "./trainer.js";
import { WithGradstep } from "./with-gradstep.js";

/** What a trainer did, and what came of it. */
export interface Run {
  readonly rows: number;
  readonly values: Readonly<Record<string, Float32Array>>;
  /** The renderer's copy, as f16 bits. */
  readonly copies: Uint16Array;
  /** How often a step was so many dispatches. */
  readonly stepDispatches: ReadonlyMap<number, number>;
  readonly remapDispatches: ReadonlySet<number>;
}

/** How much is done. */
export interface Effort {
  readonly rows: number;
  readonly steps: number;
  /** The scene is densified after so many steps. */
  readonly densifyEvery: number;
}

/** The same simulated training, once with gradstep and once by hand. */
export async function runBoth(
  backend: WebGpu,
  effort: Effort,
): Promise<{ readonly withGradstep: Run; readonly byHand: Run }> {
  const { device } = backend;
  const count = dispatchCounter(device);
  return {
    withGradstep: await run(device, effort, count, (...all) => new WithGradstep(backend, ...all)),
    byHand: await run(device, effort, count, (...all) => new ByHand(...all)),
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
  { rows, steps, densifyEvery }: Effort,
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
  let now = rows;
  for (let step = 1; step <= steps; step += 1) {
    scene.backward(now);
    const encoder = device.createCommandEncoder();
    const dispatches = count(() => trainer.step(encoder));
    device.queue.submit([encoder.finish()]);
    stepDispatches.set(dispatches, (stepDispatches.get(dispatches) ?? 0) + 1);
    if (step % densifyEvery !== 0) continue;
    scene.judge(now);
    const densified = await densifier.densify(now);
    remapDispatches.add(count(() => trainer.remap(densified)));
    now = densified.count;
  }
  const values: Record<string, Float32Array> = {};
  for (const { name } of attributes) values[name] = await trainer.read(name);
  const copies = new Uint16Array(await readBytes(device, scene.copies, now * copyStride * 2));
  return { rows: now, values, copies, stepDispatches, remapDispatches };
}
