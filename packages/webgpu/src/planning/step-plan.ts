import { GradstepError, type Update, type Variant } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { GuardedCommands, type PlanGuard } from "../guard/guarded-commands.js";
import { ElementTemporaries } from "../memory/element-temporaries.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { MaskUploads } from "../memory/mask-uploads.js";
import { RowLists } from "../memory/row-lists.js";
import { ScratchBuffer } from "../memory/scratch-buffer.js";
import type { VariantKernels } from "../shaders/variant-kernels.js";
import type { StepKernels } from "../step-kernels.js";
import { bindingLimitsOf, type StepDispatch } from "./dispatch.js";
import { wordView, type RowView } from "./row-item.js";
import type { RowListView } from "./row-list.js";
import { elementTemporariesOf } from "./matrix-temporaries.js";
import { planPassRun } from "./run-plan.js";
import { ScratchLayout } from "./scratch-layout.js";
import { DispatchTables, StepCommands, type StepRecorder } from "./step-commands.js";
import { workgroupGridOf } from "./workgroup-grid.js";

/** How many steps of one plan the caller may have encoded and not yet submitted. */
export const maxUnsubmittedSteps = 256;

/** What a plan needs of its backend. */
export interface StepPlanContext {
  readonly device: GPUDevice;
  readonly errors: ErrorTracker;
  /** Decides which steps are taken; all if undefined. */
  readonly guard?: PlanGuard;
}

/** A compiled variant. */
export interface StepProgram {
  readonly variant: Variant;
  readonly kernels: StepKernels;
  readonly programs: VariantKernels;
}

/** The tensors that a variant updates in a step: the first `count` updates. */
export interface StepRun {
  readonly program: StepProgram;
  readonly updates: readonly Update[];
  readonly count: number;
}

/** A run, as it was when the plan was made. */
interface PlanRun extends StepProgram {
  readonly updates: readonly Update[];
  /** The index of the first update among those of all runs. */
  readonly firstIndex: number;
  readonly temporaries: ElementTemporaries;
}

/**
 * The dispatches for one batch of tensors, with their tables and bind groups, prepared once. Further steps on the same
 * tensors only write their scalars.
 */
export class StepPlan {
  readonly #context: StepPlanContext;
  /** Names its work in messages of the device. */
  readonly label: string;
  readonly #runs: readonly PlanRun[];
  readonly #updates: readonly Update[];
  /** The inputs of the updates for which this was prepared. */
  readonly #inputs: readonly Pick<Update, "gradient" | "mask" | "unselectedRows">[];
  readonly #masks: MaskUploads;
  readonly #lists: RowLists;
  readonly #tensors: readonly GpuTensor[];
  readonly #dispatches: readonly StepDispatch[];
  readonly #scratch: ScratchBuffer;
  readonly #tables: DispatchTables;
  /** For steps that are submitted at once. */
  readonly #immediate: StepRecorder;
  /** For steps that the caller submits. */
  #deferred: StepRecorder | undefined;
  readonly #stepsPerTarget = new WeakMap<object, number>();
  readonly #cancelInvalidation: (() => void)[] = [];
  #hasExecuted = false;
  #destroyed = false;

  /** @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_GRADIENT` */
  constructor(context: StepPlanContext, runs: readonly StepRun[]) {
    const { device, errors } = context;
    this.#context = context;
    this.label = `gradstep ${runs.map(({ program }) => program.variant.label).join(" and ")}`;
    let firstIndex = 0;
    this.#runs = runs.map(({ program, updates, count }) => {
      const own = updates.slice(0, count);
      const temporaries = elementTemporariesOf(program.variant, own);
      const run = {
        ...program,
        updates: own,
        firstIndex,
        temporaries: new ElementTemporaries(device, errors, temporaries),
      };
      firstIndex += count;
      return run;
    });
    this.#updates = this.#runs.flatMap(({ updates }) => updates);
    this.#inputs = this.#updates.map(({ gradient, mask, unselectedRows }) => ({
      gradient,
      mask,
      unselectedRows,
    }));
    this.#tensors = this.#updates.flatMap(tensorsOf);
    this.#masks = new MaskUploads(device, this.label, this.#updates);
    this.#lists = new RowLists(device, this.label, this.#updates);
    const scratch = new ScratchLayout();
    try {
      this.#dispatches = this.#planDispatches(scratch);
    } catch (error) {
      this.#masks.destroy();
      this.#lists.destroy();
      for (const { temporaries } of this.#runs) temporaries.destroy();
      throw error;
    }
    this.#scratch = new ScratchBuffer(device, errors, this.label, scratch);
    this.#tables = new DispatchTables(device, this.label, this.#dispatches);
    this.#immediate = this.#commands(1);
  }

  /** Dispatches per step. */
  get dispatchCount(): number {
    return this.#dispatches.length;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Whether this was prepared for these tensors. */
  matches(runs: readonly StepRun[]): boolean {
    if (runs.length !== this.#runs.length) return false;
    for (let r = 0; r < runs.length; r += 1) if (!this.#matchesRun(r, runs[r])) return false;
    return true;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`, `INVALID_MEMORY` if the device has refused something */
  check(): void {
    const refused = this.#immediate.failure ?? this.#scratch.failure;
    if (refused !== undefined) throw refused;
    for (let i = 0; i < this.#tensors.length; i += 1) {
      const { failure } = this.#tensors[i];
      if (failure !== undefined) throw failure;
    }
    for (let r = 0; r < this.#runs.length; r += 1) {
      const { failure } = this.#runs[r].temporaries;
      if (failure !== undefined) throw failure;
    }
  }

  /** Records a step that is submitted before the next call. */
  encode(pass: GPUComputePassEncoder): void {
    this.#hasExecuted = true;
    this.#masks.write();
    this.#lists.write();
    this.#immediate.record(pass, this.#immediate.writeScalars());
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
    this.#deferred ??= this.#commands(maxUnsubmittedSteps);
    const scalarsOffset = this.#deferred.writeScalars();
    this.#deferred.record(passOf(), scalarsOffset);
  }

  /** Whether there was a step since the last call. */
  takeHasExecuted(): boolean {
    const hasExecuted = this.#hasExecuted;
    this.#hasExecuted = false;
    return hasExecuted;
  }

  /** Records dispatches without workgroups. A submit of them fails if one of the buffers was destroyed. */
  recordEmptyDispatches(pass: GPUComputePassEncoder): void {
    this.#immediate.recordEmpty(pass);
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
    this.#lists.destroy();
    for (const { temporaries } of this.#runs) temporaries.destroy();
    this.#scratch.destroy();
    this.#tables.destroy();
    this.#immediate.destroy();
    this.#deferred?.destroy();
  }

  #matchesRun(r: number, { program, updates, count }: StepRun): boolean {
    const run = this.#runs[r];
    if (program.variant !== run.variant || count !== run.updates.length) return false;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const index = run.firstIndex + i;
      const { gradient, mask, unselectedRows } = this.#inputs[index];
      if (update !== this.#updates[index] || update.gradient !== gradient) return false;
      const isSameMask = ArrayBuffer.isView(mask)
        ? this.#masks.matches(index, update)
        : update.mask === mask;
      if (!isSameMask || !this.#lists.matches(index, update)) return false;
      const isPartial = mask !== undefined || update.rows !== undefined;
      if (isPartial && update.unselectedRows !== unselectedRows) return false;
    }
    return true;
  }

  #planDispatches(scratch: ScratchLayout): StepDispatch[] {
    const { device } = this.#context;
    const limits = bindingLimitsOf(device);
    const runs = this.#runs.map((run) => ({
      ...run,
      maskOf: (i: number): RowView | undefined => this.#maskOf(run.firstIndex + i),
      listOf: (i: number): RowListView | undefined => this.#lists.viewOf(run.firstIndex + i),
    }));
    const dispatches = [
      ...this.#lists.dispatches(this.#runs[0].kernels, limits),
      ...planPassRun(runs, scratch, limits),
    ];
    const bytes = scratch.length * 4;
    if (bytes > limits.maxBindingSize) {
      throw new GradstepError(
        `The temporaries of a step of ${this.label} need ${bytes} bytes; a binding of this device has ${limits.maxBindingSize}. Request a higher maxStorageBufferBindingSize, or split the parameter.`,
        { code: "UNSUPPORTED" },
      );
    }
    for (const { tiles } of dispatches) workgroupGridOf(device, tiles);
    return dispatches;
  }

  #maskOf(index: number): RowView | undefined {
    const { mask } = this.#updates[index];
    return mask === undefined || ArrayBuffer.isView(mask)
      ? this.#masks.viewOf(index)
      : wordView(mask as unknown as GpuTensor);
  }

  #commands(steps: number): StepRecorder {
    const step = {
      label: this.label,
      dispatches: this.#dispatches,
      tables: this.#tables,
      scratch: this.#scratch.buffer,
    };
    const { device, guard } = this.#context;
    return guard === undefined
      ? new StepCommands(device, step, steps)
      : new GuardedCommands(device, step, guard);
  }
}

/** All tensors of an update. */
function tensorsOf({ parameter, gradient, slots, mask, copies, rows }: Update): GpuTensor[] {
  const tensors = [
    parameter,
    gradient,
    ...slots,
    mask,
    ...copies.map(({ target }) => target),
    rows,
  ].filter((one) => one !== undefined && !ArrayBuffer.isView(one) && !("start" in one));
  return tensors as unknown as GpuTensor[];
}
