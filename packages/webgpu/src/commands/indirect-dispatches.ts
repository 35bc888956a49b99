import type { GradstepError } from "@gradstep/core";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { ScalarBlocks } from "../planning/scalars/scalar-blocks.js";
import { bindGroupOf } from "./bind-groups.js";
import {
  failureOf,
  prepareDispatches,
  recordEmptyDispatches,
  type PreparedDispatch,
  type StepBindings,
} from "./step-commands.js";

/** Words per dispatch of the buffer with their workgroups: in x, y and z. */
const gridLength = 3;

/**
 * The dispatches of a step whose scalars a kernel before them writes to memory of the device. If the device can leave the
 * step out, that kernel writes their workgroups, too.
 */
export class IndirectDispatches {
  /** Where the scalars are in `scalars`. */
  readonly blocks: ScalarBlocks;
  readonly scalars: GPUBuffer;
  /** The workgroups of each dispatch. */
  readonly grids: GPUBuffer;
  /**
   * For the table of the kernel before: for each dispatch, its workgroups in x and y, and 1 if it is executed only if the
   * step is skipped, otherwise 0.
   */
  readonly gridWords: readonly number[];
  readonly #dispatches: readonly PreparedDispatch[];
  readonly #bindGroups: readonly GPUBindGroup[];
  readonly #dynamicOffset = new Uint32Array(1);

  constructor(device: GPUDevice, { label, updates, dispatches, scratch }: StepBindings) {
    this.blocks = new ScalarBlocks(device, dispatches, updates);
    this.#dispatches = prepareDispatches(device, dispatches);
    this.gridWords = this.#dispatches.flatMap(({ grid: { x, y } }, d) => [
      x,
      y,
      dispatches[d].isForSkipped === true ? 1 : 0,
    ]);
    const { UNIFORM, STORAGE, INDIRECT } = bufferUsage;
    const { entryLength, overhang } = this.blocks;
    const scalars = device.createBuffer({
      label: `${label}, scalars of the device`,
      size: entryLength + overhang,
      usage: UNIFORM | STORAGE,
    });
    this.scalars = scalars;
    this.grids = device.createBuffer({
      label: `${label}, workgroups`,
      size: 4 * gridLength * dispatches.length,
      usage: INDIRECT | STORAGE,
    });
    this.#bindGroups = dispatches.map((dispatch) =>
      bindGroupOf(device, label, { dispatch, scratch, scalars }),
    );
  }

  get count(): number {
    return this.#dispatches.length;
  }

  /** Why the device has refused a kernel. */
  get failure(): GradstepError | undefined {
    return failureOf(this.#dispatches);
  }

  /** @param isIndirect whether the workgroups are those that the kernel before has written */
  record(pass: GPUComputePassEncoder, isIndirect: boolean): void {
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      const { compiled, grid } = this.#dispatches[d];
      this.#dynamicOffset[0] = this.blocks.offsets[d];
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, this.#bindGroups[d], this.#dynamicOffset, 0, 1);
      if (isIndirect) pass.dispatchWorkgroupsIndirect(this.grids, 4 * gridLength * d);
      else pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  recordEmpty(pass: GPUComputePassEncoder): void {
    recordEmptyDispatches(pass, this.#dispatches, this.#bindGroups);
  }

  destroy(): void {
    destroyStale(this.scalars);
    destroyStale(this.grids);
  }
}
