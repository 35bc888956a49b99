import {
  GradstepError,
  type BatchRun,
  type Kernel,
  type Tensor,
  type Update,
  type Variant,
} from "@gradstep/core";
import { ElementTemporaries } from "../../memory/element-temporaries.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import type { VariantKernels } from "../../shaders/variant-kernels.js";
import type { StepKernels } from "../dispatch/step-kernels.js";
import { DelayedDestruction, maxUnsubmittedSteps } from "../dispatch/delayed-destruction.js";
import { InputPlan, type PlanContext, type RunOfUpdates } from "./input-plan.js";
import { elementTemporariesOf } from "../matrix/matrix-temporaries.js";
import { hashInputs } from "./step-inputs.js";
import { StepMemory } from "./step-memory.js";

/** The number of combinations of memory of gradients and masks that are remembered for the same parameters. */
export const maxInputPlans = 128;

/** A compiled variant. */
export interface StepProgram {
  readonly variant: Variant;
  readonly kernels: StepKernels;
  readonly programs: VariantKernels;
}

/** A run of a kernel that this package has compiled. */
export interface StepRun extends BatchRun {
  readonly kernel: Kernel & { readonly program: StepProgram };
}

/** The steps on the same parameters. Their gradients and masks may be in changing memory. */
export class StepPlan {
  /** Names its work in messages of the device. */
  readonly label: string;
  readonly #context: PlanContext;
  readonly #runs: readonly RunOfUpdates[];
  /** Parameters, slots and copies. */
  readonly #tensors: readonly GpuTensor[];
  readonly #memory: StepMemory;
  readonly #inputPlans = new Map<number, InputPlan[]>();
  #count = 0;
  /** The plan of the last step. */
  #last: InputPlan | undefined;
  #uses = 0;
  readonly #retired = new DelayedDestruction<InputPlan>();
  readonly #stepsPerTarget = new WeakMap<object, number>();
  readonly #cancelInvalidation: (() => void)[] = [];

  constructor(context: PlanContext, runs: readonly StepRun[]) {
    const { device, errors } = context;
    this.#context = context;
    this.label = `gradstep ${runs.map(({ kernel }) => kernel.program.variant.label).join(" and ")}`;
    this.#runs = runs.map(({ kernel: { program }, updates, count }) => {
      const own = updates.slice(0, count);
      const temporaries = elementTemporariesOf(program.variant, own);
      return {
        ...program,
        updates: own,
        temporaries: new ElementTemporaries(device, errors, this.label, temporaries),
      };
    });
    this.#tensors = this.#runs.flatMap(({ updates }) => updates.flatMap(tensorsOf));
    this.#memory = new StepMemory(device, errors, this.label);
  }

  /** Dispatches of the last step. */
  get dispatchCount(): number {
    return this.#last?.dispatchCount ?? 0;
  }

  /** Whether this is for these parameters. */
  matches(runs: readonly StepRun[]): boolean {
    if (runs.length !== this.#runs.length) return false;
    for (let r = 0; r < runs.length; r += 1) {
      const { kernel, updates, count } = runs[r];
      const own = this.#runs[r];
      if (kernel.program.variant !== own.variant || count !== own.updates.length) return false;
      for (let i = 0; i < count; i += 1) if (updates[i] !== own.updates[i]) return false;
    }
    return true;
  }

  /**
   * The plan for the gradients and masks that the updates have now.
   * @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `INVALID_GRADIENT`; `OUT_OF_MEMORY`, `UNSUPPORTED`,
   * `INVALID_MEMORY` if the device has refused something
   */
  inputPlan(): InputPlan {
    const plan =
      this.#last !== undefined && this.#matchesInputs(this.#last) ? this.#last : this.#find();
    this.#check(plan);
    this.#last = plan;
    this.#uses += 1;
    plan.lastUse = this.#uses;
    return plan;
  }

  /**
   * Counts a step that is recorded into what the caller submits.
   * @param target the caller's encoder
   * @throws {GradstepError} `UNSUPPORTED` for more than `maxUnsubmittedSteps` steps in one encoder
   */
  countRecorded(target: object): void {
    const steps = (this.#stepsPerTarget.get(target) ?? 0) + 1;
    if (steps > maxUnsubmittedSteps) {
      throw new GradstepError(
        `Got ${steps} steps for one encoder; expected ${maxUnsubmittedSteps} at most. Submit it, and continue with a new encoder.`,
        { code: "UNSUPPORTED" },
      );
    }
    this.#stepsPerTarget.set(target, steps);
    this.#retired.countStep();
  }

  /** The plans with steps since the last call. */
  takeExecuted(): InputPlan[] {
    return this.#all().filter((plan) => plan.takeHasExecuted());
  }

  /** Calls an action when a parameter, slot or copy is freed or resized, as `GpuTensor.whenInvalidated` does. */
  whenInvalidated(action: (recordedInto?: object) => void): void {
    for (const tensor of new Set(this.#tensors))
      this.#cancelInvalidation.push(tensor.whenInvalidated(action));
  }

  /** Ends its use. Recorded steps stay valid until `destroy`. */
  retire(): void {
    for (const cancel of this.#cancelInvalidation.splice(0)) cancel();
    for (const plan of this.#all()) plan.retire();
  }

  /** Destroys its buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    this.retire();
    for (const plan of [...this.#retired.takeAll(), ...this.#all()]) plan.destroy();
    this.#inputPlans.clear();
    this.#memory.destroy();
    for (const { temporaries } of this.#runs) temporaries.destroy();
  }

  #all(): InputPlan[] {
    return [...this.#inputPlans.values()].flat();
  }

  #matchesInputs(plan: InputPlan): boolean {
    let index = 0;
    for (let r = 0; r < this.#runs.length; r += 1) {
      const { updates } = this.#runs[r];
      for (let i = 0; i < updates.length; i += 1) {
        if (!plan.matches(index, updates[i])) return false;
        index += 1;
      }
    }
    return true;
  }

  #find(): InputPlan {
    let hash = 0;
    for (let r = 0; r < this.#runs.length; r += 1) {
      const { updates } = this.#runs[r];
      for (let i = 0; i < updates.length; i += 1) hash = hashInputs(hash, updates[i]);
    }
    const candidates = this.#inputPlans.get(hash) ?? [];
    for (let i = 0; i < candidates.length; i += 1)
      if (this.#matchesInputs(candidates[i])) return candidates[i];
    if (this.#count === maxInputPlans) this.#removeOldest();
    const plan = new InputPlan(this.#context, this.#runs, this.#memory);
    this.#inputPlans.set(hash, [...candidates, plan]);
    this.#count += 1;
    plan.whenInvalidated(() => this.#remove(plan));
    return plan;
  }

  #removeOldest(): void {
    const [first, ...others] = this.#all();
    this.#remove(
      others.reduce((oldest, one) => (one.lastUse < oldest.lastUse ? one : oldest), first),
    );
  }

  #remove(plan: InputPlan): void {
    for (const [hash, plans] of this.#inputPlans) {
      if (!plans.includes(plan)) continue;
      const others = plans.filter((one) => one !== plan);
      if (others.length > 0) this.#inputPlans.set(hash, others);
      else this.#inputPlans.delete(hash);
      this.#count -= 1;
    }
    if (this.#last === plan) this.#last = undefined;
    plan.retire();
    if (plan.wasRecorded) this.#retired.destroyLater(plan);
    else plan.destroy();
  }

  /** @throws {GradstepError} what the device has refused */
  #check(plan: InputPlan): void {
    const refused = plan.failure ?? this.#memory.failure;
    if (refused !== undefined) throw refused;
    for (let i = 0; i < this.#tensors.length; i += 1) {
      const { failure } = this.#tensors[i];
      if (failure !== undefined) throw failure;
    }
    for (let r = 0; r < this.#runs.length; r += 1) {
      const { temporaries, updates } = this.#runs[r];
      if (temporaries.failure !== undefined) throw temporaries.failure;
      for (let i = 0; i < updates.length; i += 1) checkInputs(updates[i]);
    }
  }
}

/** The tensors of an update that are the same in every step. */
function tensorsOf({ parameter, slots, copies }: Update): GpuTensor[] {
  return [
    parameter,
    ...slots,
    ...copies.map(({ target }) => target),
  ] as readonly unknown[] as GpuTensor[];
}

/** @throws {GradstepError} why an input has no values */
function checkInputs({ gradient, mask, rows, signals }: Update): void {
  checkMemory(gradient);
  if (mask !== undefined && "memory" in mask) checkMemory(mask);
  if (rows !== undefined && "memory" in rows) checkMemory(rows);
  if (signals === undefined) return;
  const { scale, skip, learningRate } = signals;
  if (typeof scale === "object") checkMemory(scale);
  if (skip !== undefined) checkMemory(skip);
  if (learningRate !== undefined) checkMemory(learningRate);
}

function checkMemory(tensor: Tensor): void {
  const { failure } = tensor as GpuTensor;
  if (failure !== undefined) throw failure;
}
