import type { GradstepError, StepSignals } from "@gradstep/core";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { IndirectDispatches } from "../commands/indirect-dispatches.js";
import type { TableKernel } from "../planning/dispatch/one-shot-dispatches.js";
import type { ScalarRing, Submitter } from "../planning/scalars/scalar-ring.js";
import type { StepValues } from "../planning/scalars/ring-entries.js";
import type { SignalRange } from "../commands/signal-table.js";
import { rangeOfSignal } from "../commands/signaled-commands.js";
import type { StepBindings, StepRecorder } from "../commands/step-commands.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { callWords, decideHeader, fromCall, fromScale } from "../shaders/decide-kernel.js";
import type { GuardMemory } from "./guard-memory.js";
import type { KeptScalars } from "./kept-scalars.js";

/** What plans of guarded steps need. */
export interface PlanGuard {
  readonly memory: GuardMemory;
  readonly decideKernel: TableKernel;
  /** Whether `check` has come before: what these plans execute belongs to a step that is taken. */
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
  readonly #dispatches: IndirectDispatches;
  readonly #dynamicOffset = new Uint32Array(1);
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #ring: ScalarRing;
  readonly #call: CallValues;
  #boundCalls: GPUBuffer | undefined;
  readonly #table: GPUBuffer;

  constructor(device: GPUDevice, step: StepBindings, guard: PlanGuard, host: HostValues) {
    const { ring, signals } = host;
    const { memory, decideKernel } = guard;
    this.#device = device;
    this.#label = step.label;
    this.#ring = ring;
    const scale: SignalRange | undefined =
      typeof signals?.scale === "object" ? rangeOfSignal(device, signals.scale) : undefined;
    this.#call = new CallValues(device, memory.kept);
    this.#dispatches = new IndirectDispatches(device, step);
    const words = decideTable(this.#dispatches, guard, scale);
    this.#table = device.createBuffer({
      label: `${step.label}, decision`,
      size: words.byteLength,
      usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(this.#table, 0, words);
    const { control, nonFinite, kept } = memory;
    const { scalars, grids } = this.#dispatches;
    const buffers = [this.#table, control, nonFinite, kept.buffer, scalars, grids];
    this.#decideKernel = decideKernel;
    // Without a scale on the device, that binding is not read.
    this.#decideRanges = [
      ...buffers.map((buffer) => ({ buffer })),
      scale ?? { buffer: this.#table },
    ];
  }

  get failure(): GradstepError | undefined {
    return this.#decideKernel.compiled.failure ?? this.#dispatches.failure;
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
    this.#dispatches.record(pass, true);
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    this.#dispatches.recordEmpty(pass);
  }

  destroy(): void {
    this.#dispatches.destroy();
    destroyStale(this.#table);
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
}

/** The table of the decide kernel. @param scale on the device; undefined for none */
function decideTable(
  { blocks, count, gridWords }: IndirectDispatches,
  { memory, isDecided }: PlanGuard,
  scale: SignalRange | undefined,
): Uint32Array<ArrayBuffer> {
  const scaleSource = scale === undefined ? fromCall : fromScale;
  const pairs = [...blocks.sets()].flatMap(({ set, count: setLength, start, scaleStart }) => [
    ...Array.from({ length: setLength }, (_, i) => [start + i, memory.sourceOf(set) + i]).flat(),
    ...(scaleStart === undefined ? [] : [scaleStart, scaleSource]),
  ]);
  const { kept, persistentCount, stopsAtNonFinite } = memory;
  const header: Readonly<Record<(typeof decideHeader)[number], number>> = {
    pairs: pairs.length / 2,
    dispatches: count,
    rows: kept.rows,
    row_length: kept.rowLength,
    scale_index: scale?.index ?? 0,
    persistent_words: isDecided ? 2 * persistentCount : 0,
    stops_at_non_finite: stopsAtNonFinite ? 1 : 0,
  };
  return Uint32Array.from([...decideHeader.map((name) => header[name]), ...pairs, ...gridWords]);
}

/** Bytes of what the host writes for each step. */
const callLength: number = 4 * Object.keys(callWords).length;

/** What the host writes for each step: the scale, and where the current scalars are. */
class CallValues implements StepValues {
  readonly entryLength: number;
  readonly overhang = 0;
  scale = 1;
  readonly #kept: KeptScalars;
  readonly #words = new Uint32Array(callLength / 4);
  readonly #values = new Float32Array(this.#words.buffer);

  constructor({ limits }: GPUDevice, kept: KeptScalars) {
    this.entryLength = limits.minStorageBufferOffsetAlignment;
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
