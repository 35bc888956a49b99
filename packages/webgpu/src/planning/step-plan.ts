import { GradstepError, type Update, type Variant } from "@gradstep/core";
import {
  firstArrayBinding,
  scalarGroups,
  scalarsBinding,
  scalarStride,
  tableBinding,
  type Form,
  type RowForm,
} from "../shaders/kernel-layout.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { gridOf, type Grid } from "./workgroup-grid.js";
import { MaskUploads } from "../memory/mask-uploads.js";
import type { Pipeline } from "../device/pipeline-cache.js";
import { partOf, tensorsOf } from "./dense-item.js";
import { plan, type BindingLimits, type Dispatch } from "./dense-dispatches.js";
import { needsRows, rowPartOf, wordPlace } from "./row-item.js";
import { planRows } from "./row-dispatches.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** How many steps one plan can have recorded into work of the caller's that may not have been submitted. */
export const stepsAhead = 256;

/** What a plan is made with. */
export interface PlanContext {
  readonly device: GPUDevice;
  readonly variant: Variant;
  readonly limits: BindingLimits;
  /** @throws {GradstepError} `UNSUPPORTED` where the device cannot bind as many arrays */
  readonly layout: (form: Form | RowForm) => GPUBindGroupLayout;
  readonly pipeline: (form: Form | RowForm) => Pipeline;
}

/** What one dispatch needs of the device. */
interface Command {
  readonly compiled: Pipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: Grid;
}

/** Scalars of some steps in a uniform buffer, and the commands that read them there. */
interface Slots {
  readonly buffer: GPUBuffer;
  readonly commands: readonly Command[];
}

/**
 * The dispatches of one batch of tensors, with all that the device needs for them, made once. Steps on the same
 * tensors only write their scalars.
 */
export class Plan {
  readonly #context: PlanContext;
  readonly #updates: readonly Update[];
  /** What the updates were given besides, when this was made. */
  readonly #given: readonly Pick<Update, "gradient" | "mask" | "unselectedRows">[];
  readonly #masks: MaskUploads;
  readonly #tensors: readonly GpuTensor[];
  readonly #dispatches: readonly Dispatch[];
  readonly #tables: GPUBuffer;
  readonly #tableOffsets: readonly number[];
  /** Scalars of one step, as the device sees them: a block for each dispatch. */
  readonly #scalars: Float32Array<ArrayBuffer>;
  readonly #block: number;
  readonly #offset = new Uint32Array(1);
  readonly #own: Slots;
  #ahead: Slots | undefined;
  #next = 0;
  readonly #targets = new WeakMap<object, number>();
  readonly #forget: (() => void)[] = [];

  constructor(context: PlanContext, updates: readonly Update[], count: number) {
    const { device, variant } = context;
    const { minUniformBufferOffsetAlignment: alignment } = device.limits;
    this.#context = context;
    this.#updates = updates.slice(0, count);
    this.#given = this.#updates.map(({ gradient, mask, unselectedRows }) => ({
      gradient,
      mask,
      unselectedRows,
    }));
    this.#tensors = this.#updates.flatMap(tensorsOf);
    this.#masks = new MaskUploads(device, variant.label, this.#updates);
    try {
      this.#dispatches = this.#plan();
    } catch (error) {
      this.#masks.release();
      throw error;
    }
    this.#block = Math.ceil((scalarStride(variant) * scalarGroups) / alignment) * alignment;
    this.#scalars = new Float32Array((this.#block / 4) * this.#dispatches.length);
    let length = 0;
    this.#tableOffsets = this.#dispatches.map(({ table }) => {
      const offset = length;
      length += Math.ceil(table.byteLength / context.limits.alignment) * context.limits.alignment;
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
    this.#own = this.#slots(1);
  }

  /** How many dispatches one step is. */
  get dispatches(): number {
    return this.#dispatches.length;
  }

  /** Whether it was made for just these tensors. */
  fits(updates: readonly Update[], count: number): boolean {
    if (count !== this.#updates.length) return false;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const { gradient, mask, unselectedRows } = this.#given[i];
      if (update !== this.#updates[i] || update.gradient !== gradient) return false;
      const isSame = ArrayBuffer.isView(mask) ? this.#masks.fits(i, update) : update.mask === mask;
      if (!isSame) return false;
      if (mask !== undefined && update.unselectedRows !== unselectedRows) return false;
    }
    return true;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED` where the device has refused something since */
  check(): void {
    for (let d = 0; d < this.#own.commands.length; d += 1) {
      const { failure } = this.#own.commands[d].compiled;
      if (failure !== undefined) throw failure;
    }
    for (let i = 0; i < this.#tensors.length; i += 1) {
      const { failure } = this.#tensors[i];
      if (failure !== undefined) throw failure;
    }
  }

  /** Records a step that is submitted before the next call. */
  encode(pass: GPUComputePassEncoder): void {
    this.#masks.write();
    this.#write(this.#own.buffer, 0);
    this.#record(pass, this.#own, 0);
  }

  /**
   * Records a step into the caller's pass, to be submitted some time.
   *
   * @param target the encoder that the caller gave: the steps in it are counted
   * @throws {GradstepError} `UNSUPPORTED` for more than `stepsAhead` of them
   */
  encodeAhead(pass: () => GPUComputePassEncoder, target: object): void {
    const steps = (this.#targets.get(target) ?? 0) + 1;
    if (steps > stepsAhead) {
      throw new GradstepError(
        `One encoder got ${steps} steps; expected ${stepsAhead} at most. Submit, and go on with a new encoder.`,
        { code: "UNSUPPORTED" },
      );
    }
    this.#targets.set(target, steps);
    this.#ahead ??= this.#slots(stepsAhead);
    const slot = this.#next;
    this.#next = (slot + 1) % stepsAhead;
    const offset = slot * this.#scalars.byteLength;
    this.#write(this.#ahead.buffer, offset);
    this.#record(pass(), this.#ahead, offset);
  }

  /** Calls an action when one of its tensors is freed, or gets other rows. */
  whenStale(action: () => void): void {
    for (const tensor of new Set(this.#tensors)) this.#forget.push(tensor.whenStale(action));
  }

  /** It is not used again. Work of the caller's that was not submitted yet may still need what it made. */
  forget(): void {
    for (const forget of this.#forget) forget();
    this.#forget.length = 0;
    if (this.#ahead === undefined) this.release();
  }

  /** Frees what it made. */
  release(): void {
    for (const forget of this.#forget) forget();
    this.#masks.release();
    this.#tables.destroy();
    this.#own.buffer.destroy();
    this.#ahead?.buffer.destroy();
  }

  /** Plain tensors and those with rows; a dispatch is of one kind. */
  #plan(): Dispatch[] {
    const { device, limits, layout } = this.#context;
    const plain = this.#updates.filter((update) => !needsRows(update)).map(partOf);
    const rows = this.#updates.flatMap((update, i) => {
      if (!needsRows(update)) return [];
      const { mask } = update;
      const place =
        mask === undefined || ArrayBuffer.isView(mask)
          ? this.#masks.place(i)
          : wordPlace(mask as unknown as GpuTensor);
      return [rowPartOf(update, place)];
    });
    const dispatches = [...plan(plain, limits), ...planRows(rows, limits)];
    for (const { tiles, form } of dispatches) {
      layout(form);
      gridOf(device, tiles);
    }
    return dispatches;
  }

  #write(buffer: GPUBuffer, offset: number): void {
    const stride = scalarStride(this.#context.variant) / 4;
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      const { scalars } = this.#dispatches[d];
      for (let k = 0; k < scalars.length; k += 1)
        this.#scalars.set(scalars[k], (this.#block / 4) * d + stride * k);
    }
    this.#context.device.queue.writeBuffer(buffer, offset, this.#scalars);
  }

  #record(pass: GPUComputePassEncoder, { commands }: Slots, offset: number): void {
    for (let d = 0; d < commands.length; d += 1) {
      const { compiled, bindGroup, grid } = commands[d];
      this.#offset[0] = offset + this.#block * d;
      pass.setPipeline(compiled.pipeline);
      pass.setBindGroup(0, bindGroup, this.#offset, 0, 1);
      pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  #slots(steps: number): Slots {
    const { device, variant, layout, pipeline } = this.#context;
    const buffer = device.createBuffer({
      label: `gradstep ${variant.label}, scalars`,
      size: this.#scalars.byteLength * steps,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    const commands = this.#dispatches.map(({ form, windows, table, tiles }, i) => {
      const bindGroup = device.createBindGroup({
        layout: layout(form),
        entries: [
          {
            binding: tableBinding,
            resource: {
              buffer: this.#tables,
              offset: this.#tableOffsets[i],
              size: table.byteLength,
            },
          },
          {
            binding: scalarsBinding,
            resource: { buffer, offset: 0, size: scalarStride(variant) * scalarGroups },
          },
          ...windows.map((resource, k) => ({ binding: firstArrayBinding + k, resource })),
        ],
      });
      return { compiled: pipeline(form), bindGroup, grid: gridOf(device, tiles) };
    });
    return { buffer, commands };
  }
}
