import type { GradstepError, Update } from "@gradstep/core";
import type { CompiledPipeline } from "../device/pipeline-cache.js";
import type { BindGroups } from "./bind-groups.js";
import type { TabledDispatch } from "../planning/dispatch/dispatch.js";
import { ScalarBlocks } from "../planning/scalars/scalar-blocks.js";
import type { ScalarRing, Submitter } from "../planning/scalars/scalar-ring.js";
import { workgroupGridOf, type WorkgroupGrid } from "../planning/dispatch/workgroup-grid.js";

/** What the commands of a step bind. */
export interface StepBindings {
  /** Names the work in messages of the device. */
  readonly label: string;
  readonly updates: readonly Update[];
  readonly dispatches: readonly TabledDispatch[];
  readonly scratch: GPUBuffer | undefined;
}

/** Records the dispatches of a step. */
export interface StepRecorder {
  /** Why the device has refused a kernel. */
  readonly failure: GradstepError | undefined;
  /**
   * Writes the current scalars.
   * @param scale that of the gradients
   * @returns where they are, for `record`
   */
  writeScalars(submitter: Submitter, scale: number): number;
  record(pass: GPUComputePassEncoder, scalarsOffset: number): void;
  /** Records dispatches without workgroups. A submit of them fails if one of the buffers was destroyed. */
  recordEmpty(pass: GPUComputePassEncoder): void;
  destroy(): void;
}

/** A pipeline, and its workgroups. */
export interface PreparedDispatch {
  readonly compiled: CompiledPipeline;
  readonly grid: WorkgroupGrid;
}

export function prepareDispatches(
  device: GPUDevice,
  dispatches: readonly TabledDispatch[],
): readonly PreparedDispatch[] {
  return dispatches.map(({ kernel, tiles }) => ({
    compiled: kernel.compile(),
    grid: workgroupGridOf(device, tiles),
  }));
}

/** Why the device has refused a kernel. */
export function failureOf(dispatches: readonly PreparedDispatch[]): GradstepError | undefined {
  for (let d = 0; d < dispatches.length; d += 1) {
    const { failure } = dispatches[d].compiled;
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Records dispatches without workgroups. */
export function recordEmptyDispatches(
  pass: GPUComputePassEncoder,
  dispatches: readonly PreparedDispatch[],
  bindGroups: readonly GPUBindGroup[],
): void {
  bindGroups.forEach((group, d) => {
    pass.setPipeline(dispatches[d].compiled.pipeline);
    pass.setBindGroup(0, group, [0]);
    pass.dispatchWorkgroups(0);
  });
}

/** The dispatches of a step with their pipelines and bind groups. */
export class StepCommands implements StepRecorder {
  readonly #step: StepBindings;
  readonly #ring: ScalarRing;
  readonly #blocks: ScalarBlocks;
  readonly #shared: BindGroups;
  readonly #dispatches: readonly PreparedDispatch[];
  /** Those for the current buffer of the ring. */
  #bindGroups: readonly GPUBindGroup[] = [];
  #scalars: GPUBuffer | undefined;
  readonly #dynamicOffset = new Uint32Array(1);

  constructor(device: GPUDevice, step: StepBindings, ring: ScalarRing, bindGroups: BindGroups) {
    this.#step = step;
    this.#ring = ring;
    this.#shared = bindGroups;
    this.#blocks = new ScalarBlocks(device, step.dispatches, step.updates);
    this.#dispatches = prepareDispatches(device, step.dispatches);
  }

  get failure(): GradstepError | undefined {
    return failureOf(this.#dispatches);
  }

  writeScalars(submitter: Submitter, scale: number): number {
    this.#blocks.scale = scale;
    const scalars = this.#ring.prepare(this.#blocks, submitter);
    if (scalars !== this.#scalars) this.#bind(scalars);
    return this.#ring.write(this.#blocks, submitter);
  }

  record(pass: GPUComputePassEncoder, scalarsOffset: number): void {
    const { offsets } = this.#blocks;
    let last: GPUComputePipeline | undefined;
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      const { compiled, grid } = this.#dispatches[d];
      this.#dynamicOffset[0] = scalarsOffset + offsets[d];
      if (compiled.pipeline !== last) pass.setPipeline(compiled.pipeline);
      last = compiled.pipeline;
      pass.setBindGroup(0, this.#bindGroups[d], this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    recordEmptyDispatches(pass, this.#dispatches, this.#bindGroups);
  }

  destroy(): void {
    this.#release();
    this.#scalars = undefined;
  }

  #bind(scalars: GPUBuffer): void {
    const { dispatches, scratch } = this.#step;
    const bindGroups = dispatches.map((dispatch) =>
      this.#shared.acquire({ dispatch, scratch, scalars }),
    );
    this.#release();
    this.#bindGroups = bindGroups;
    this.#scalars = scalars;
  }

  #release(): void {
    for (const group of this.#bindGroups) this.#shared.release(group);
    this.#bindGroups = [];
  }
}
