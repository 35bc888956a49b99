import { GradstepError, type Update, type Variant } from "@gradstep/core";
import type { CompiledPipeline } from "../device/pipeline-cache.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { MaskUploads } from "../memory/mask-uploads.js";
import {
  firstArrayBinding,
  maxScalarSets,
  scalarsBinding,
  scalarSetLength,
  tableBinding,
  type KernelLayout,
} from "../shaders/kernel-layout.js";
import { planDenseDispatches } from "./dense-dispatches.js";
import { denseItemOf } from "./dense-item.js";
import type { BindingLimits, Dispatch } from "./dispatch.js";
import { planRowDispatches } from "./row-dispatches.js";
import { needsRowKernel, rowItemOf, wordView } from "./row-item.js";
import { UniformRing } from "./uniform-ring.js";
import { workgroupGridOf, type WorkgroupGrid } from "./workgroup-grid.js";

/** How many steps of one plan the caller may have encoded and not yet submitted. */
export const maxUnsubmittedSteps = 256;

/** What a plan needs of its kernel. */
export interface StepPlanContext {
  readonly device: GPUDevice;
  readonly variant: Variant;
  readonly limits: BindingLimits;
  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  readonly bindGroupLayoutOf: (layout: KernelLayout) => GPUBindGroupLayout;
  readonly pipelineOf: (layout: KernelLayout) => CompiledPipeline;
}

interface Command {
  readonly compiled: CompiledPipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: WorkgroupGrid;
}

/** A uniform ring, and the commands that read from it. */
interface RingCommands {
  readonly ring: UniformRing;
  readonly commands: readonly Command[];
}

/**
 * The dispatches for one batch of tensors, with their tables and bind groups, prepared once. Further steps on the same
 * tensors only write their scalars.
 */
export class StepPlan {
  readonly #context: StepPlanContext;
  readonly #updates: readonly Update[];
  /** The inputs of the updates for which this was prepared. */
  readonly #inputs: readonly Pick<Update, "gradient" | "mask" | "unselectedRows">[];
  readonly #masks: MaskUploads;
  readonly #tensors: readonly GpuTensor[];
  readonly #dispatches: readonly Dispatch[];
  readonly #tables: GPUBuffer;
  readonly #tableOffsets: readonly number[];
  /** Bytes of scalars per dispatch. */
  readonly #blockLength: number;
  readonly #dynamicOffset = new Uint32Array(1);
  /** For steps that are submitted at once. */
  readonly #immediate: RingCommands;
  /** For steps that the caller submits. */
  #deferred: RingCommands | undefined;
  readonly #stepsPerTarget = new WeakMap<object, number>();
  readonly #cancelInvalidation: (() => void)[] = [];
  #hasExecuted = false;
  #destroyed = false;

  constructor(context: StepPlanContext, updates: readonly Update[], count: number) {
    const { device, variant, limits } = context;
    this.#context = context;
    this.#updates = updates.slice(0, count);
    this.#inputs = this.#updates.map(({ gradient, mask, unselectedRows }) => ({
      gradient,
      mask,
      unselectedRows,
    }));
    this.#tensors = this.#updates.flatMap(tensorsOf);
    this.#masks = new MaskUploads(device, variant.label, this.#updates);
    try {
      this.#dispatches = this.#planDispatches();
    } catch (error) {
      this.#masks.destroy();
      throw error;
    }
    const { minUniformBufferOffsetAlignment: alignment } = device.limits;
    this.#blockLength =
      Math.ceil((scalarSetLength(variant) * maxScalarSets) / alignment) * alignment;
    let length = 0;
    this.#tableOffsets = this.#dispatches.map(({ table }) => {
      const offset = length;
      length += Math.ceil(table.byteLength / limits.alignment) * limits.alignment;
      return offset;
    });
    this.#tables = device.createBuffer({
      label: `gradstep ${variant.label}, tables`,
      size: length,
      usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
    });
    this.#dispatches.forEach(({ table }, i) => {
      device.queue.writeBuffer(this.#tables, this.#tableOffsets[i], table);
    });
    this.#immediate = this.#createRing(1);
  }

  /** Dispatches per step. */
  get dispatchCount(): number {
    return this.#dispatches.length;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Whether this was prepared for these tensors. */
  matches(updates: readonly Update[], count: number): boolean {
    if (count !== this.#updates.length) return false;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const { gradient, mask, unselectedRows } = this.#inputs[i];
      if (update !== this.#updates[i] || update.gradient !== gradient) return false;
      const isSameMask = ArrayBuffer.isView(mask)
        ? this.#masks.matches(i, update)
        : update.mask === mask;
      if (!isSameMask) return false;
      if (mask !== undefined && update.unselectedRows !== unselectedRows) return false;
    }
    return true;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`, `INVALID_MEMORY` if the device has refused something */
  check(): void {
    for (let d = 0; d < this.#immediate.commands.length; d += 1) {
      const { failure } = this.#immediate.commands[d].compiled;
      if (failure !== undefined) throw failure;
    }
    for (let i = 0; i < this.#tensors.length; i += 1) {
      const { failure } = this.#tensors[i];
      if (failure !== undefined) throw failure;
    }
  }

  /** Records a step that is submitted before the next call. */
  encode(pass: GPUComputePassEncoder): void {
    this.#hasExecuted = true;
    this.#masks.write();
    const offset = this.#immediate.ring.write();
    this.#record(pass, this.#immediate, offset);
  }

  /**
   * Records a step into a pass that the caller submits later.
   *
   * @param target the caller's encoder: its steps are counted
   * @throws {GradstepError} `UNSUPPORTED` for more than `maxUnsubmittedSteps` steps in one encoder
   */
  encodeDeferred(passOf: () => GPUComputePassEncoder, target: object): void {
    const steps = (this.#stepsPerTarget.get(target) ?? 0) + 1;
    if (steps > maxUnsubmittedSteps) {
      throw new GradstepError(
        `Got ${steps} steps for one encoder; expected ${maxUnsubmittedSteps} at most. Submit it, and continue with a new encoder.`,
        { code: "UNSUPPORTED" },
      );
    }
    this.#hasExecuted = true;
    this.#stepsPerTarget.set(target, steps);
    this.#deferred ??= this.#createRing(maxUnsubmittedSteps);
    const offset = this.#deferred.ring.write();
    this.#record(passOf(), this.#deferred, offset);
  }

  /** Whether there was a step since the last call. */
  takeHasExecuted(): boolean {
    const hasExecuted = this.#hasExecuted;
    this.#hasExecuted = false;
    return hasExecuted;
  }

  /** Records dispatches without workgroups. A submit of them fails if one of the buffers was destroyed. */
  recordEmptyDispatches(pass: GPUComputePassEncoder): void {
    for (const { compiled, bindGroup } of this.#immediate.commands) {
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, [0]);
      pass.dispatchWorkgroups(0);
    }
  }

  /** Calls an action when one of the tensors is freed or resized. */
  whenInvalidated(action: () => void): void {
    for (const tensor of new Set(this.#tensors))
      this.#cancelInvalidation.push(tensor.whenInvalidated(action));
  }

  /** Ends its use. Its buffers stay if the caller may still submit steps that read them. */
  retire(): void {
    for (const cancel of this.#cancelInvalidation) cancel();
    this.#cancelInvalidation.length = 0;
    if (this.#deferred === undefined) this.destroy();
  }

  destroy(): void {
    this.#destroyed = true;
    for (const cancel of this.#cancelInvalidation) cancel();
    this.#masks.destroy();
    this.#tables.destroy();
    this.#immediate.ring.destroy();
    this.#deferred?.ring.destroy();
  }

  #planDispatches(): Dispatch[] {
    const { device, limits, bindGroupLayoutOf } = this.#context;
    const denseItems = this.#updates.filter((update) => !needsRowKernel(update)).map(denseItemOf);
    const rowItems = this.#updates.flatMap((update, i) => {
      if (!needsRowKernel(update)) return [];
      const { mask } = update;
      const view =
        mask === undefined || ArrayBuffer.isView(mask)
          ? this.#masks.viewOf(i)
          : wordView(mask as unknown as GpuTensor);
      return [rowItemOf(update, view)];
    });
    const dispatches = [
      ...planDenseDispatches(denseItems, limits),
      ...planRowDispatches(rowItems, limits),
    ];
    // Both throw if the device cannot run a dispatch; nothing is allocated yet.
    for (const { tiles, layout } of dispatches) {
      bindGroupLayoutOf(layout);
      workgroupGridOf(device, tiles);
    }
    return dispatches;
  }

  #record(pass: GPUComputePassEncoder, { commands }: RingCommands, offset: number): void {
    for (let d = 0; d < commands.length; d += 1) {
      const { compiled, bindGroup, grid } = commands[d];
      this.#dynamicOffset[0] = offset + this.#blockLength * d;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, this.#dynamicOffset, 0, 1);
      pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  #createRing(steps: number): RingCommands {
    const { device, variant, bindGroupLayoutOf, pipelineOf } = this.#context;
    const ring = new UniformRing(device, {
      label: `gradstep ${variant.label}, scalars`,
      dispatches: this.#dispatches,
      scalarSetLength: scalarSetLength(variant),
      blockLength: this.#blockLength,
      steps,
    });
    const scalars = {
      buffer: ring.buffer,
      offset: 0,
      size: scalarSetLength(variant) * maxScalarSets,
    };
    const commands = this.#dispatches.map(({ layout, bindings, table, tiles }, i): Command => {
      const tableRange = {
        buffer: this.#tables,
        offset: this.#tableOffsets[i],
        size: table.byteLength,
      };
      const bindGroup = device.createBindGroup({
        layout: bindGroupLayoutOf(layout),
        entries: [
          { binding: tableBinding, resource: tableRange },
          { binding: scalarsBinding, resource: scalars },
          ...bindings.map((resource, k) => ({ binding: firstArrayBinding + k, resource })),
        ],
      });
      return { compiled: pipelineOf(layout), bindGroup, grid: workgroupGridOf(device, tiles) };
    });
    return { ring, commands };
  }
}

/** All tensors of an update. */
function tensorsOf({ parameter, gradient, slots, mask, mirror }: Update): GpuTensor[] {
  const tensors = [parameter, gradient, ...slots, mask, mirror].filter(
    (one) => one !== undefined && !ArrayBuffer.isView(one),
  );
  return tensors as unknown as GpuTensor[];
}
