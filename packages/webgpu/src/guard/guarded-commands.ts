import type { GradstepError } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import {
  blockLengthOf,
  commandsOf,
  failureOf,
  type Command,
  type StepBindings,
  type StepRecorder,
} from "../planning/step-commands.js";
import { tableBinding } from "../shaders/kernel-layout.js";
import { decideHeaderLength } from "../shaders/decide-kernel.js";
import type { TableKernel } from "../planning/one-shot-dispatches.js";
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
  readonly #commands: readonly Command[];
  readonly #blockLength: number;
  readonly #dynamicOffset = new Uint32Array(1);
  readonly #grids: GPUBuffer;
  readonly #buffers: readonly GPUBuffer[];

  constructor(device: GPUDevice, step: StepBindings, { memory, decideKernel }: PlanGuard) {
    const { label, dispatches } = step;
    this.#blockLength = blockLengthOf(device, dispatches);
    const { UNIFORM, STORAGE, INDIRECT, COPY_DST } = bufferUsage;
    const make = (what: string, size: number, usage: number): GPUBuffer =>
      device.createBuffer({ label: `${label}, ${what}`, size, usage: usage | STORAGE });
    const scalars = make("guarded scalars", this.#blockLength * dispatches.length, UNIFORM);
    this.#grids = make("workgroups", dispatches.length * 12, INDIRECT);
    this.#commands = commandsOf(device, step, scalars);
    const words = decideTable(step, this.#blockLength / 4, memory, this.#commands);
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
    return this.#decideKernel.compiled.failure ?? failureOf(this.#commands);
  }

  /** The device has the scalars already. */
  writeScalars(): number {
    return 0;
  }

  record(pass: GPUComputePassEncoder): void {
    pass.setPipeline(this.#decideKernel.compiled.pipeline);
    pass.setBindGroup(0, this.#decideBindGroup);
    pass.dispatchWorkgroups(1);
    for (let d = 0; d < this.#commands.length; d += 1) {
      const { compiled, bindGroup } = this.#commands[d];
      this.#dynamicOffset[0] = this.#blockLength * d;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroupsIndirect(this.#grids, 12 * d);
    }
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    for (const { compiled, bindGroup } of this.#commands) {
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, [0]);
      pass.dispatchWorkgroups(0);
    }
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** The table of the decide kernel. @param blockLength words of scalars per dispatch */
function decideTable(
  { dispatches }: StepBindings,
  blockLength: number,
  memory: GuardMemory,
  commands: readonly Command[],
): Uint32Array<ArrayBuffer> {
  const pairs = dispatches.flatMap(({ scalarSets, kernel }, d) =>
    scalarSets.flatMap((set, k) => {
      const target = blockLength * d + (kernel.scalarSetLength / 4) * k;
      return [...set].flatMap((_, i) => [target + i, memory.sourceOf(set) + i]);
    }),
  );
  const grids = commands.flatMap(({ grid }) => [grid.x, grid.y]);
  const header = [pairs.length / 2, dispatches.length, memory.keptSteps, memory.rowLength];
  return Uint32Array.from([...header.slice(0, decideHeaderLength), ...pairs, ...grids]);
}
