import type { GradstepError } from "@gradstep/core";
import type { CompiledPipeline } from "../device/pipeline-cache.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import {
  firstArrayBinding,
  maxScalarSets,
  scalarsBinding,
  tableBinding,
} from "../shaders/kernel-layout.js";
import type { BindingRange, StepDispatch } from "./dispatch.js";
import { UniformRing } from "./uniform-ring.js";
import { workgroupGridOf, type WorkgroupGrid } from "./workgroup-grid.js";

/** The tables of the dispatches of a step, in one buffer. */
export class DispatchTables {
  readonly #buffer: GPUBuffer;
  readonly #ranges: readonly BindingRange[];

  constructor(device: GPUDevice, label: string, dispatches: readonly StepDispatch[]) {
    const alignment = device.limits.minStorageBufferOffsetAlignment;
    let length = 0;
    const offsets = dispatches.map(({ table }) => {
      const offset = length;
      length += Math.ceil(table.byteLength / alignment) * alignment;
      return offset;
    });
    const buffer = device.createBuffer({
      label: `${label}, tables`,
      size: length,
      usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
    });
    this.#buffer = buffer;
    const words = new Uint32Array(length / 4);
    this.#ranges = dispatches.map(({ table }, i) => {
      words.set(table, offsets[i] / 4);
      return { buffer, offset: offsets[i], size: table.byteLength };
    });
    device.queue.writeBuffer(buffer, 0, words);
  }

  /** Where the table of a dispatch is. */
  rangeOf(dispatch: number): BindingRange {
    return this.#ranges[dispatch];
  }

  destroy(): void {
    this.#buffer.destroy();
  }
}

/** What the commands of a step bind. */
export interface StepBindings {
  readonly label: string;
  readonly dispatches: readonly StepDispatch[];
  readonly tables: DispatchTables;
  readonly scratch: GPUBuffer | undefined;
}

/** One dispatch of a step. */
export interface Command {
  readonly compiled: CompiledPipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: WorkgroupGrid;
}

/** Records the dispatches of a step. */
export interface StepRecorder {
  /** Why the device has refused a kernel. */
  readonly failure: GradstepError | undefined;
  /** Writes the current scalars. @returns where they are, for `record` */
  writeScalars(): number;
  record(pass: GPUComputePassEncoder, scalarsOffset: number): void;
  /** Records dispatches without workgroups. A submit of them fails if one of the buffers was destroyed. */
  recordEmpty(pass: GPUComputePassEncoder): void;
  destroy(): void;
}

/** Bytes of scalars per dispatch. */
export function blockLengthOf(device: GPUDevice, dispatches: readonly StepDispatch[]): number {
  const { minUniformBufferOffsetAlignment: alignment } = device.limits;
  const longest = Math.max(...dispatches.map(({ kernel }) => kernel.scalarSetLength));
  return Math.ceil((longest * maxScalarSets) / alignment) * alignment;
}

/** Prepares the dispatches of a step. @param scalars the uniform buffer with a block per dispatch */
export function commandsOf(
  device: GPUDevice,
  { label, dispatches, tables, scratch }: StepBindings,
  scalars: GPUBuffer,
): readonly Command[] {
  return dispatches.map(({ kernel, bindings, tiles }, i) => {
    const { bindGroupLayout, usesScratch, scalarSetLength, compile } = kernel;
    const block = { buffer: scalars, offset: 0, size: scalarSetLength * maxScalarSets };
    const arrays = [...bindings, ...(usesScratch ? [{ buffer: scratch! }] : [])];
    const bindGroup = device.createBindGroup({
      label: `${label}, dispatch ${i}`,
      layout: bindGroupLayout,
      entries: [
        { binding: tableBinding, resource: tables.rangeOf(i) },
        { binding: scalarsBinding, resource: block },
        ...arrays.map((resource, k) => ({ binding: firstArrayBinding + k, resource })),
      ],
    });
    return { compiled: compile(), bindGroup, grid: workgroupGridOf(device, tiles) };
  });
}

/** Why the device has refused a kernel. */
export function failureOf(commands: readonly Command[]): GradstepError | undefined {
  for (let d = 0; d < commands.length; d += 1) {
    const { failure } = commands[d].compiled;
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** The dispatches of a step with their pipelines and bind groups, and the scalars of the last steps. */
export class StepCommands implements StepRecorder {
  readonly #ring: UniformRing;
  readonly #commands: readonly Command[];
  /** Bytes of scalars per dispatch. */
  readonly #blockLength: number;
  readonly #dynamicOffset = new Uint32Array(1);

  /** @param steps how many steps can be recorded before the first of them is executed */
  constructor(device: GPUDevice, step: StepBindings, steps: number) {
    const { label, dispatches } = step;
    this.#blockLength = blockLengthOf(device, dispatches);
    this.#ring = new UniformRing(device, {
      label: `${label}, scalars`,
      dispatches,
      blockLength: this.#blockLength,
      steps,
    });
    this.#commands = commandsOf(device, step, this.#ring.buffer);
  }

  get failure(): GradstepError | undefined {
    return failureOf(this.#commands);
  }

  writeScalars(): number {
    return this.#ring.write();
  }

  record(pass: GPUComputePassEncoder, scalarsOffset: number): void {
    for (let d = 0; d < this.#commands.length; d += 1) {
      const { compiled, bindGroup, grid } = this.#commands[d];
      this.#dynamicOffset[0] = scalarsOffset + this.#blockLength * d;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroups(grid.x, grid.y);
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
    this.#ring.destroy();
  }
}
