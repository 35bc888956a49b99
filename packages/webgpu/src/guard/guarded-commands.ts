import type { GradstepError, StepSignals } from "@gradstep/core";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { bindGroupOf } from "../planning/bind-groups.js";
import type { TabledDispatch } from "../planning/dispatch.js";
import type { TableKernel } from "../planning/one-shot-dispatches.js";
import { ScalarBlocks } from "../planning/scalar-blocks.js";
import type { ScalarRing } from "../planning/scalar-ring.js";
import type { StepValues } from "../planning/scalar-slots.js";
import { rangeOfSignal, type SignalRange } from "../planning/signaled-commands.js";
import {
  failureOf,
  prepareDispatches,
  recordEmptyDispatches,
  type PreparedDispatch,
  type StepBindings,
  type StepRecorder,
} from "../planning/step-commands.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { decideHeaderLength, fromScale } from "../shaders/decide-kernel.js";
import type { GuardMemory } from "./guard-memory.js";

/** What plans of guarded steps need. */
export interface PlanGuard {
  readonly memory: GuardMemory;
  readonly decideKernel: TableKernel;
}

/** The dispatches of a step that run only if the guard takes it, with scalars that the device chooses. */
export class GuardedCommands implements StepRecorder {
  readonly #decideKernel: TableKernel;
  /** What the decide kernel binds before the scale. */
  readonly #decideBuffers: readonly GPUBuffer[];
  #decideBindGroup: GPUBindGroup | undefined;
  readonly #dispatches: readonly PreparedDispatch[];
  readonly #bindGroups: readonly GPUBindGroup[];
  readonly #blocks: ScalarBlocks;
  readonly #dynamicOffset = new Uint32Array(1);
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #ring: ScalarRing;
  readonly #scale: SignalRange | undefined;
  readonly #hostScale: HostScale;
  #boundScale: GPUBuffer | undefined;
  readonly #grids: GPUBuffer;
  readonly #buffers: readonly GPUBuffer[];

  /**
   * @param ring of buffers with the usage STORAGE, for scales that the host knows
   * @param signals whose scale may be on the device
   */
  constructor(
    device: GPUDevice,
    step: StepBindings,
    { memory, decideKernel }: PlanGuard,
    ring: ScalarRing,
    signals: StepSignals | undefined,
  ) {
    const { label, updates, dispatches, scratch } = step;
    this.#device = device;
    this.#label = label;
    this.#ring = ring;
    this.#scale =
      typeof signals?.scale === "object" ? rangeOfSignal(device, signals.scale) : undefined;
    this.#hostScale = new HostScale(device);
    this.#blocks = new ScalarBlocks(device, dispatches, updates);
    const { UNIFORM, STORAGE, INDIRECT, COPY_DST } = bufferUsage;
    const make = (what: string, size: number, usage: number): GPUBuffer =>
      device.createBuffer({ label: `${label}, ${what}`, size, usage: usage | STORAGE });
    const { slotLength, overhang } = this.#blocks;
    const scalars = make("guarded scalars", slotLength + overhang, UNIFORM);
    this.#grids = make("workgroups", dispatches.length * 12, INDIRECT);
    this.#dispatches = prepareDispatches(device, dispatches);
    this.#bindGroups = dispatches.map((dispatch) =>
      bindGroupOf(device, label, { dispatch, scratch, scalars }),
    );
    const words = decideTable(
      this.#blocks,
      memory,
      dispatches,
      this.#dispatches,
      this.#scale?.index ?? 0,
    );
    const table = make("decision", words.byteLength, COPY_DST);
    device.queue.writeBuffer(table, 0, words);
    this.#buffers = [scalars, this.#grids, table];
    const { control, nonFinite, keptScalars } = memory;
    this.#decideKernel = decideKernel;
    this.#decideBuffers = [table, control, nonFinite, keptScalars, scalars, this.#grids];
  }

  get failure(): GradstepError | undefined {
    return this.#decideKernel.compiled.failure ?? failureOf(this.#dispatches);
  }

  /** The device has the scalars already, apart from the scale. */
  writeScalars(isRecorded: boolean, scale: number): number {
    if (this.#scale !== undefined || scale === 1) {
      this.#bind(this.#scale ?? { buffer: this.#decideBuffers[0] });
      return 0;
    }
    this.#hostScale.scale = scale;
    const buffer = this.#ring.prepare(this.#hostScale, isRecorded);
    this.#bind({ buffer, offset: 0, size: 4 });
    return this.#ring.write(this.#hostScale, isRecorded);
  }

  record(pass: GPUComputePassEncoder, scaleOffset: number): void {
    this.#dynamicOffset[0] = scaleOffset;
    pass.setPipeline(this.#decideKernel.compiled.pipeline);
    pass.setBindGroup(0, this.#decideBindGroup!, this.#dynamicOffset, 0, 1);
    pass.dispatchWorkgroups(1);
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      this.#dynamicOffset[0] = this.#blocks.offsets[d];
      pass.setPipeline(this.#dispatches[d].compiled.pipeline);
      pass.setBindGroup(0, this.#bindGroups[d], this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroupsIndirect(this.#grids, 12 * d);
    }
  }

  #bind(scale: GPUBufferBinding): void {
    if (scale.buffer === this.#boundScale) return;
    const resources = [...this.#decideBuffers.map((buffer) => ({ buffer })), scale];
    this.#decideBindGroup = this.#device.createBindGroup({
      label: `${this.#label}, decision`,
      layout: this.#decideKernel.layout,
      entries: resources.map((resource, i) => ({ binding: tableBinding + i, resource })),
    });
    this.#boundScale = scale.buffer;
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    recordEmptyDispatches(pass, this.#dispatches, this.#bindGroups);
  }

  destroy(): void {
    for (const buffer of this.#buffers) destroyStale(buffer);
  }
}

/** The table of the decide kernel. @param scaleIndex that of a scale on the device, in its binding */
function decideTable(
  blocks: ScalarBlocks,
  memory: GuardMemory,
  dispatches: readonly TabledDispatch[],
  prepared: readonly PreparedDispatch[],
  scaleIndex: number,
): Uint32Array<ArrayBuffer> {
  const pairs = [...blocks.sets()].flatMap(({ set, count, place, scalePlace }) => [
    ...Array.from({ length: count }, (_, i) => [place + i, memory.sourceOf(set) + i]).flat(),
    ...(scalePlace === undefined ? [] : [scalePlace, fromScale]),
  ]);
  const grids = prepared.flatMap(({ grid }, d) => [
    grid.x,
    grid.y,
    dispatches[d].isForSkipped === true ? 1 : 0,
  ]);
  const { keptSteps, rowLength } = memory;
  const header = [pairs.length / 2, dispatches.length, keptSteps, rowLength, scaleIndex];
  return Uint32Array.from([...header.slice(0, decideHeaderLength), ...pairs, ...grids]);
}

/** A scale that the host writes for each step. */
class HostScale implements StepValues {
  readonly slotLength: number;
  readonly overhang = 0;
  readonly #values = new Float32Array(1);
  readonly #words = new Uint32Array(this.#values.buffer);

  constructor({ limits }: GPUDevice) {
    this.slotLength = limits.minStorageBufferOffsetAlignment;
  }

  set scale(value: number) {
    this.#values[0] = value;
  }

  words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }
}
