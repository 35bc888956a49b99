import type { GradstepError, StepSignals, Tensor, Update } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { signalArrays, signalKernel } from "../shaders/signal-kernel.js";
import { IndirectDispatches } from "./indirect-dispatches.js";
import { compileTableKernel, type TableKernel } from "../planning/dispatch/one-shot-dispatches.js";
import type { ScalarRing, Submitter } from "../planning/scalars/scalar-ring.js";
import { SignalBlocks } from "../planning/scalars/signal-blocks.js";
import { signalTable, type SignaledStep, type SignalRange } from "./signal-table.js";
import type { StepBindings, StepRecorder } from "./step-commands.js";

/** Whether the device has a signal of an update: then the host does not know the scalars. */
export function hasDeviceSignals({ signals }: Update): boolean {
  if (signals === undefined) return false;
  const { scale, skip, learningRate } = signals;
  return typeof scale === "object" || skip !== undefined || learningRate !== undefined;
}

/** The dispatch for one learning rate. */
interface Preparation {
  readonly table: GPUBuffer;
  readonly rate: SignalRange | undefined;
}

/**
 * The dispatches of a step whose scale, skip flag or learning rates are in memory of the device. A dispatch before them
 * finds their scalars and, if the step can be skipped, their workgroups.
 */
export class SignaledCommands implements StepRecorder {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #dispatches: IndirectDispatches;
  readonly #hostBlocks: SignalBlocks;
  readonly #ring: ScalarRing;
  readonly #scale: SignalRange | undefined;
  readonly #skip: SignalRange | undefined;
  readonly #kernel: TableKernel;
  readonly #preparations: readonly Preparation[];
  /** Those for the current buffer of the ring. */
  #preparationGroups: readonly GPUBindGroup[] = [];
  #hostValues: GPUBuffer | undefined;
  readonly #dynamicOffset = new Uint32Array(1);

  /** @param ring of buffers with the usage STORAGE */
  constructor(device: GPUDevice, errors: ErrorTracker, step: StepBindings, ring: ScalarRing) {
    const { label, updates } = step;
    this.#device = device;
    this.#label = label;
    this.#ring = ring;
    // Those of all updates; one without a rate on the device may have none.
    const { scale, skip } = updates[0].signals ?? {};
    const rangeOf = (tensor: Tensor | undefined): SignalRange | undefined =>
      tensor && rangeOfSignal(device, tensor);
    this.#scale = typeof scale === "object" ? rangeOf(scale) : undefined;
    this.#skip = rangeOf(skip);
    this.#dispatches = new IndirectDispatches(device, step);
    const signalsOf = new Map(updates.map((update) => [update.scalars, update.signals]));
    const rateOf = (set: Float64Array): Tensor | undefined => signalsOf.get(set)?.learningRate;
    this.#hostBlocks = new SignalBlocks(device, this.#dispatches.blocks, (set) =>
      rateOf(set) === undefined ? undefined : signalsOf.get(set)!.slopes,
    );
    this.#kernel = compileTableKernel(device, errors, {
      label: "gradstep signals",
      code: signalKernel,
      arrays: signalArrays,
    });
    const rates = new Set(updates.flatMap((update) => update.signals?.learningRate ?? []));
    const all = rates.size === 0 ? [undefined] : [...rates];
    const signaled: SignaledStep = {
      dispatches: this.#dispatches,
      hostBlocks: this.#hostBlocks,
      rateOf,
      scale: this.#scale,
      skip: this.#skip,
    };
    this.#preparations = all.map((rate, k) => {
      const range = rangeOf(rate);
      const words = signalTable(signaled, { rate, range, isFirst: k === 0 });
      const table = device.createBuffer({
        label: `${label}, signals`,
        size: words.byteLength,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(table, 0, words);
      return { table, rate: range };
    });
  }

  get failure(): GradstepError | undefined {
    return this.#kernel.compiled.failure ?? this.#dispatches.failure;
  }

  writeScalars(submitter: Submitter, scale: number): number {
    this.#dispatches.blocks.scale = scale;
    const hostValues = this.#ring.prepare(this.#hostBlocks, submitter);
    if (hostValues !== this.#hostValues) this.#bind(hostValues);
    return this.#ring.write(this.#hostBlocks, submitter);
  }

  record(pass: GPUComputePassEncoder, scalarsOffset: number): void {
    this.#dynamicOffset[0] = scalarsOffset;
    pass.setPipeline(this.#kernel.compiled.pipeline);
    for (let k = 0; k < this.#preparationGroups.length; k += 1) {
      pass.setBindGroup(0, this.#preparationGroups[k], this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroups(1);
    }
    this.#dispatches.record(pass, this.#skip !== undefined);
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    pass.setPipeline(this.#kernel.compiled.pipeline);
    for (const group of this.#preparationGroups) {
      pass.setBindGroup(0, group, [0]);
      pass.dispatchWorkgroups(0);
    }
    this.#dispatches.recordEmpty(pass);
  }

  destroy(): void {
    this.#dispatches.destroy();
    for (const { table } of this.#preparations) destroyStale(table);
  }

  #bind(hostValues: GPUBuffer): void {
    const { entryLength } = this.#hostBlocks;
    this.#preparationGroups = this.#preparations.map(({ table, rate }) => {
      // A signal that there is none of is not read.
      const arrays = [
        ...[this.#scale, this.#skip, rate].map((range) => range ?? { buffer: table }),
        { buffer: this.#dispatches.scalars },
        { buffer: this.#dispatches.grids },
      ];
      return this.#device.createBindGroup({
        label: `${this.#label}, signals`,
        layout: this.#kernel.layout,
        entries: [
          { buffer: table },
          { buffer: hostValues, offset: 0, size: entryLength },
          ...arrays,
        ].map((resource, k) => ({ binding: tableBinding + k, resource })),
      });
    });
    this.#hostValues = hostValues;
  }
}

export function rangeOfSignal({ limits }: GPUDevice, tensor: Tensor): SignalRange {
  const { buffer, byteOffset } = (tensor as GpuTensor).memory;
  const inRange = byteOffset % limits.minStorageBufferOffsetAlignment;
  return { buffer, offset: byteOffset - inRange, size: inRange + 4, index: inRange / 4 };
}

/** The scale of a step if the host knows it, otherwise 1. */
export function hostScaleOf(signals: StepSignals | undefined): number {
  return typeof signals?.scale === "number" ? signals.scale : 1;
}
