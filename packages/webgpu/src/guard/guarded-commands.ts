import type { GradstepError, StepSignals } from "@gradstep/core";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { bindGroupOf } from "../commands/bind-groups.js";
import type { TabledDispatch } from "../planning/dispatch/dispatch.js";
import type { TableKernel } from "../planning/dispatch/one-shot-dispatches.js";
import { ScalarBlocks } from "../planning/scalars/scalar-blocks.js";
import type { ScalarRing, Submitter } from "../planning/scalars/scalar-ring.js";
import type { StepValues } from "../planning/scalars/scalar-slots.js";
import type { SignalRange } from "../commands/signal-table.js";
import { rangeOfSignal } from "../commands/signaled-commands.js";
import {
  failureOf,
  gridWords,
  prepareDispatches,
  recordEmptyDispatches,
  type PreparedDispatch,
  type StepBindings,
  type StepRecorder,
} from "../commands/step-commands.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { callWords, decideHeader, fromCall, fromScale } from "../shaders/decide-kernel.js";
import type { GuardMemory } from "./guard-memory.js";
import type { KeptScalars } from "./kept-scalars.js";

/** What plans of guarded steps need. */
export interface PlanGuard {
  readonly memory: GuardMemory;
  readonly decideKernel: TableKernel;
  /** Whether `check` comes before: what is executed then belongs to a step that is taken. */
  readonly isDecided: boolean;
}

/** What the host gives for each step. */
interface HostValues {
  /** Of buffers with the usage STORAGE. */
  readonly ring: ScalarRing;
  /** Their scale may be on the device. */
  readonly signals: StepSignals | undefined;
}

/** The dispatches of a step that run only if the guard takes it, with scalars that the device chooses. */
export class GuardedCommands implements StepRecorder {
  readonly #decideKernel: TableKernel;
  /** What the decide kernel binds before the values of the call. */
  readonly #decideRanges: readonly GPUBufferBinding[];
  #decideBindGroup: GPUBindGroup | undefined;
  readonly #dispatches: readonly PreparedDispatch[];
  readonly #bindGroups: readonly GPUBindGroup[];
  readonly #blocks: ScalarBlocks;
  readonly #dynamicOffset = new Uint32Array(1);
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #ring: ScalarRing;
  readonly #call: CallValues;
  #boundCalls: GPUBuffer | undefined;
  readonly #grids: GPUBuffer;
  readonly #buffers: readonly GPUBuffer[];

  constructor(device: GPUDevice, step: StepBindings, guard: PlanGuard, host: HostValues) {
    const { ring, signals } = host;
    const { label, updates, dispatches, scratch } = step;
    const { memory, decideKernel } = guard;
    this.#device = device;
    this.#label = label;
    this.#ring = ring;
    const scale: SignalRange | undefined =
      typeof signals?.scale === "object" ? rangeOfSignal(device, signals.scale) : undefined;
    this.#call = new CallValues(device, memory.kept);
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
      guard,
      { dispatches, prepared: this.#dispatches },
      scale,
    );
    const table = make("decision", words.byteLength, COPY_DST);
    device.queue.writeBuffer(table, 0, words);
    this.#buffers = [scalars, this.#grids, table];
    const { control, nonFinite, kept } = memory;
    const buffers = [table, control, nonFinite, kept.buffer, scalars, this.#grids];
    this.#decideKernel = decideKernel;
    // Without a scale on the device, that binding is not read.
    this.#decideRanges = [...buffers.map((buffer) => ({ buffer })), scale ?? { buffer: table }];
  }

  get failure(): GradstepError | undefined {
    return this.#decideKernel.compiled.failure ?? failureOf(this.#dispatches);
  }

  /** The device has the scalars already, apart from the scale; the host writes which of them are current. */
  writeScalars(submitter: Submitter, scale: number): number {
    this.#call.scale = scale;
    const calls = this.#ring.prepare(this.#call, submitter);
    if (calls !== this.#boundCalls) this.#bind(calls);
    return this.#ring.write(this.#call, submitter);
  }

  record(pass: GPUComputePassEncoder, callOffset: number): void {
    this.#dynamicOffset[0] = callOffset;
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

  #bind(calls: GPUBuffer): void {
    const resources = [...this.#decideRanges, { buffer: calls, offset: 0, size: callLength }];
    this.#decideBindGroup = this.#device.createBindGroup({
      label: `${this.#label}, decision`,
      layout: this.#decideKernel.layout,
      entries: resources.map((resource, i) => ({ binding: tableBinding + i, resource })),
    });
    this.#boundCalls = calls;
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    recordEmptyDispatches(pass, this.#dispatches, this.#bindGroups);
  }

  destroy(): void {
    for (const buffer of this.#buffers) destroyStale(buffer);
  }
}

interface GuardedDispatches {
  readonly dispatches: readonly TabledDispatch[];
  /** The same, with their pipelines. */
  readonly prepared: readonly PreparedDispatch[];
}

/** The table of the decide kernel. @param scale on the device; undefined for none */
function decideTable(
  blocks: ScalarBlocks,
  { memory, isDecided }: PlanGuard,
  { dispatches, prepared }: GuardedDispatches,
  scale: SignalRange | undefined,
): Uint32Array<ArrayBuffer> {
  const scaleSource = scale === undefined ? fromCall : fromScale;
  const pairs = [...blocks.sets()].flatMap(({ set, count, place, scalePlace }) => [
    ...Array.from({ length: count }, (_, i) => [place + i, memory.sourceOf(set) + i]).flat(),
    ...(scalePlace === undefined ? [] : [scalePlace, scaleSource]),
  ]);
  const grids = gridWords(dispatches, prepared);
  const { kept, carriedCount, stopsAtNonFinite } = memory;
  const header: Readonly<Record<(typeof decideHeader)[number], number>> = {
    pairs: pairs.length / 2,
    dispatches: dispatches.length,
    rows: kept.rows,
    row_length: kept.rowLength,
    scale_index: scale?.index ?? 0,
    carried_words: isDecided ? 2 * carriedCount : 0,
    stops_at_non_finite: stopsAtNonFinite ? 1 : 0,
  };
  return Uint32Array.from([...decideHeader.map((name) => header[name]), ...pairs, ...grids]);
}

/** Bytes of what the host writes for each step. */
const callLength: number = 4 * Object.keys(callWords).length;

/** What the host writes for each step: the scale, and where the current scalars are. */
class CallValues implements StepValues {
  readonly slotLength: number;
  readonly overhang = 0;
  scale = 1;
  readonly #kept: KeptScalars;
  readonly #words = new Uint32Array(callLength / 4);
  readonly #values = new Float32Array(this.#words.buffer);

  constructor({ limits }: GPUDevice, kept: KeptScalars) {
    this.slotLength = limits.minStorageBufferOffsetAlignment;
    this.#kept = kept;
  }

  words(): Uint32Array<ArrayBuffer> {
    this.#values[callWords.scale] = this.scale;
    this.#words[callWords.offset] = this.#kept.offset;
    this.#words[callWords.epoch] = this.#kept.epoch;
    this.#words[callWords.kind] = this.#kept.kind;
    this.#words[callWords.first] = this.#kept.firstStep;
    return this.#words;
  }
}
