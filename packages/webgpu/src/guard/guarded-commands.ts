import type { GradstepError } from "@gradstep/core";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { bindGroupOf } from "../planning/bind-groups.js";
import type { TableKernel } from "../planning/one-shot-dispatches.js";
import { ScalarBlocks } from "../planning/scalar-blocks.js";
import {
  failureOf,
  prepareDispatches,
  recordEmptyDispatches,
  type PreparedDispatch,
  type StepBindings,
  type StepRecorder,
} from "../planning/step-commands.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { decideHeaderLength } from "../shaders/decide-kernel.js";
import type { GuardMemory } from "./guard-memory.js";

/** What plans of guarded steps need. */
export interface PlanGuard {
  readonly memory: GuardMemory;
  readonly decideKernel: TableKernel;
}

/** The dispatches of a step that run only if the guard takes it, with scalars that the device chooses. */
export class GuardedCommands implements StepRecorder {
  readonly #decideKernel: TableKernel;
  readonly #decideBindGroup: GPUBindGroup;
  readonly #dispatches: readonly PreparedDispatch[];
  readonly #bindGroups: readonly GPUBindGroup[];
  readonly #blocks: ScalarBlocks;
  readonly #dynamicOffset = new Uint32Array(1);
  readonly #grids: GPUBuffer;
  readonly #buffers: readonly GPUBuffer[];

  constructor(device: GPUDevice, step: StepBindings, { memory, decideKernel }: PlanGuard) {
    const { label, dispatches, scratch } = step;
    this.#blocks = new ScalarBlocks(device, dispatches);
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
    const words = decideTable(this.#blocks, memory, this.#dispatches);
    const table = make("decision", words.byteLength, COPY_DST);
    device.queue.writeBuffer(table, 0, words);
    this.#buffers = [scalars, this.#grids, table];
    const { control, nonFinite, keptScalars } = memory;
    this.#decideKernel = decideKernel;
    this.#decideBindGroup = device.createBindGroup({
      label: `${label}, decision`,
      layout: decideKernel.layout,
      entries: [table, control, nonFinite, keptScalars, scalars, this.#grids].map((buffer, i) => ({
        binding: tableBinding + i,
        resource: { buffer },
      })),
    });
  }

  get failure(): GradstepError | undefined {
    return this.#decideKernel.compiled.failure ?? failureOf(this.#dispatches);
  }

  /** The device has the scalars already. */
  writeScalars(): number {
    return 0;
  }

  record(pass: GPUComputePassEncoder): void {
    pass.setPipeline(this.#decideKernel.compiled.pipeline);
    pass.setBindGroup(0, this.#decideBindGroup);
    pass.dispatchWorkgroups(1);
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      this.#dynamicOffset[0] = this.#blocks.offsets[d];
      pass.setPipeline(this.#dispatches[d].compiled.pipeline);
      pass.setBindGroup(0, this.#bindGroups[d], this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroupsIndirect(this.#grids, 12 * d);
    }
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    recordEmptyDispatches(pass, this.#dispatches, this.#bindGroups);
  }

  destroy(): void {
    for (const buffer of this.#buffers) destroyStale(buffer);
  }
}

/** The table of the decide kernel. */
function decideTable(
  blocks: ScalarBlocks,
  memory: GuardMemory,
  dispatches: readonly PreparedDispatch[],
): Uint32Array<ArrayBuffer> {
  const pairs = [...blocks.places()].flatMap(([set, i, place]) => [
    place,
    memory.sourceOf(set) + i,
  ]);
  const grids = dispatches.flatMap(({ grid }) => [grid.x, grid.y]);
  const header = [pairs.length / 2, dispatches.length, memory.keptSteps, memory.rowLength];
  return Uint32Array.from([...header.slice(0, decideHeaderLength), ...pairs, ...grids]);
}
