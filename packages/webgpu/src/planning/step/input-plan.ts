import { GradstepError, type Update } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { GuardedCommands, type PlanGuard } from "../../guard/guarded-commands.js";
import type { ElementTemporaries } from "../../memory/element-temporaries.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { MaskUploads } from "../../memory/mask-uploads.js";
import { RowLists } from "../rows/row-lists.js";
import { scaledKernelsOf } from "../../shaders/variant-kernels.js";
import { bindingLimitsOf, type BindingRange, type StepDispatch } from "../dispatch/dispatch.js";
import type { PlannedRun } from "../run/planned-run.js";
import { wordView } from "../rows/row-item.js";
import type { RowView, RowListView } from "../../memory/buffer-views.js";
import { planRuns } from "../run/run-plan.js";
import { ScratchLayout } from "../run/scratch-layout.js";
import { StepCommands, type StepRecorder } from "../../commands/step-commands.js";
import {
  hasDeviceSignals,
  hostScaleOf,
  SignaledCommands,
} from "../../commands/signaled-commands.js";
import { inputsOf, StepInputs } from "./step-inputs.js";
import type { StepMemory } from "./step-memory.js";
import { workgroupGridOf } from "../dispatch/workgroup-grid.js";

/** What a plan needs of its device. */
export interface PlanContext {
  readonly device: GPUDevice;
  readonly errors: ErrorTracker;
  /** Decides which steps are taken; all if undefined. */
  readonly guard?: PlanGuard;
}

/** A run without what depends on its inputs. */
export interface RunOfUpdates extends Omit<PlannedRun, "maskOf" | "listOf"> {
  readonly temporaries: ElementTemporaries;
}

/**
 * The dispatches of a step with gradients, masks and lists of rows in certain memory, prepared once. Further steps with
 * the same memory only write their scalars.
 */
export class InputPlan {
  /** When it was last used, in calls of the plan that it belongs to. */
  lastUse = 0;
  /** Whether steps were recorded that the caller submits. */
  wasRecorded = false;
  readonly #context: PlanContext;
  readonly #memory: StepMemory;
  readonly #updates: readonly Update[];
  readonly #inputs: StepInputs;
  readonly #masks: MaskUploads;
  readonly #lists: RowLists;
  readonly #tables: readonly BindingRange[];
  readonly #recorder: StepRecorder;
  readonly #cancelInvalidation: (() => void)[] = [];
  #hasExecuted = false;
  #destroyed = false;

  /** @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_GRADIENT` */
  constructor(context: PlanContext, runs: readonly RunOfUpdates[], memory: StepMemory) {
    const { device, errors, guard } = context;
    const { label, ring, signalRing, bindGroups } = memory;
    this.#context = context;
    this.#memory = memory;
    this.#updates = runs.flatMap(({ updates }) => updates);
    this.#inputs = new StepInputs(this.#updates);
    this.#masks = new MaskUploads(device, label, this.#updates);
    this.#lists = new RowLists(device, label, this.#updates);
    const scratch = new ScratchLayout();
    let dispatches: readonly StepDispatch[];
    try {
      dispatches = this.#plan(runs, scratch);
    } catch (error) {
      this.#masks.destroy();
      this.#lists.destroy();
      throw error;
    }
    this.#tables = memory.tables.acquire(dispatches.map(({ table }) => table));
    const step = {
      label,
      updates: this.#updates,
      dispatches: dispatches.map((dispatch, d) => ({
        ...dispatch,
        // The device has it, and it may be large.
        table: undefined,
        tableRange: this.#tables[d],
      })),
      scratch: memory.scratchFor(scratch),
    };
    const [{ signals }] = this.#updates;
    if (guard !== undefined)
      this.#recorder = new GuardedCommands(device, step, guard, { ring: signalRing, signals });
    else if (this.#updates.some(hasDeviceSignals))
      this.#recorder = new SignaledCommands(device, errors, step, signalRing);
    else this.#recorder = new StepCommands(device, step, ring, bindGroups);
  }

  /** Dispatches per step. */
  get dispatchCount(): number {
    return this.#tables.length;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Why the device has refused a kernel. */
  get failure(): GradstepError | undefined {
    return this.#recorder.failure;
  }

  /** Whether the inputs of an update are in the memory for which this was prepared. */
  matches(index: number, update: Update): boolean {
    return (
      this.#inputs.matches(index, update) &&
      (update.mask === undefined || this.#masks.matches(index, update)) &&
      (update.rows === undefined || this.#lists.matches(index, update))
    );
  }

  /** Records a step that is submitted before the next call. */
  encode(pass: GPUComputePassEncoder): void {
    this.#hasExecuted = true;
    this.#masks.write();
    this.#lists.write();
    const scalarsOffset = this.#recorder.writeScalars("backend", this.#scale);
    this.#recorder.record(pass, scalarsOffset);
  }

  /** Records a step into a pass that the caller submits later. */
  encodeDeferred(passOf: () => GPUComputePassEncoder): void {
    this.#hasExecuted = true;
    this.wasRecorded = true;
    const scalarsOffset = this.#recorder.writeScalars("caller", this.#scale);
    this.#recorder.record(passOf(), scalarsOffset);
  }

  /** Whether there was a step since the last call. */
  takeHasExecuted(): boolean {
    const hasExecuted = this.#hasExecuted;
    this.#hasExecuted = false;
    return hasExecuted;
  }

  /** Records dispatches without workgroups. A submit of them fails if one of the buffers was destroyed. */
  recordEmptyDispatches(pass: GPUComputePassEncoder): void {
    this.#recorder.recordEmpty(pass);
  }

  /** Calls an action when memory of an input is freed that is not caller-owned. */
  whenInvalidated(action: () => void): void {
    for (const tensor of new Set(this.#updates.flatMap(inputsOf))) {
      if (tensor.allocation !== undefined)
        this.#cancelInvalidation.push(tensor.whenInvalidated(action));
    }
  }

  /** Ends its use. Recorded steps stay valid until `destroy`. */
  retire(): void {
    for (const cancel of this.#cancelInvalidation.splice(0)) cancel();
  }

  destroy(): void {
    this.#destroyed = true;
    this.retire();
    this.#masks.destroy();
    this.#lists.destroy();
    this.#recorder.destroy();
    this.#memory.tables.release(this.#tables);
  }

  /** Whether the device decides that the step is taken. */
  get #isSkippable(): boolean {
    return this.#context.guard !== undefined || this.#updates[0].signals?.skip !== undefined;
  }

  /** The scale of the gradients, if the host knows it. */
  get #scale(): number {
    return hostScaleOf(this.#updates[0].signals);
  }

  #plan(runs: readonly RunOfUpdates[], scratch: ScratchLayout): StepDispatch[] {
    const { device } = this.#context;
    const limits = bindingLimitsOf(device);
    let firstIndex = 0;
    const planned = runs.map((run): PlannedRun => {
      const first = firstIndex;
      firstIndex += run.updates.length;
      const { programs, updates } = run;
      const isScaled = updates.some(({ signals }) => (signals?.scale ?? 1) !== 1);
      return {
        ...run,
        programs: isScaled ? scaledKernelsOf(programs) : programs,
        maskOf: (i: number): RowView | undefined => this.#maskOf(first + i),
        listOf: (i: number): RowListView | undefined => this.#lists.viewOf(first + i),
      };
    });
    const dispatches = [
      ...this.#lists.dispatches(runs[0].kernels, limits),
      ...this.#lists.scalarDispatches(runs[0].kernels, limits, this.#context.guard?.memory.control),
      ...planRuns(planned, scratch, limits, this.#isSkippable),
    ];
    const bytes = scratch.length * 4;
    if (bytes > limits.maxBindingSize) {
      throw new GradstepError(
        `The temporaries of a step of ${this.#memory.label} need ${bytes} bytes; a binding of this device has ${limits.maxBindingSize}. Request a higher maxStorageBufferBindingSize, or split the parameter.`,
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
}
