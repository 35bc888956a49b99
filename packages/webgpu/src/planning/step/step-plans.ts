import { GradstepError, show, type Update } from "@gradstep/core";
import { DelayedDestruction } from "../dispatch/delayed-destruction.js";
import type { InputPlan, PlanContext } from "./input-plan.js";
import { StepPlan, type StepRun } from "./step-plan.js";
import { checkTarget, passOf } from "../../commands/encode-target.js";

/** The number of combinations of parameters whose steps are remembered, for several optimizers. */
export const maxStepPlans = 128;

/** Executes steps, and remembers what it has prepared for them. */
export class StepPlans {
  readonly #context: PlanContext;
  /** The most recently used first. */
  readonly #plans: StepPlan[] = [];
  readonly #retired = new DelayedDestruction<StepPlan>();

  constructor(context: PlanContext) {
    this.#context = context;
  }

  run(runs: readonly StepRun[]): void {
    const plan = this.#planFor(runs).inputPlan();
    const { device } = this.#context;
    const { label } = this.#plans[0];
    const encoder = device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    plan.encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  /** @throws {GradstepError} `UNSUPPORTED` */
  encode(target: object, runs: readonly StepRun[]): void {
    for (const { updates, count } of runs) checkMasks(updates, count);
    checkTarget(target);
    const steps = this.#planFor(runs);
    const plan = steps.inputPlan();
    steps.countRecorded(target);
    this.#retired.countStep();
    let end: (() => void) | undefined;
    plan.encodeDeferred(() => {
      const opened = passOf(target, steps.label);
      ({ end } = opened);
      return opened.pass;
    });
    end?.();
  }

  /** Dispatches of the last step. */
  get dispatches(): number {
    return this.#plans[0]?.dispatchCount ?? 0;
  }

  /** The plans with steps since the last call. */
  takeExecuted(): InputPlan[] {
    return this.#plans.flatMap((plan) => plan.takeExecuted());
  }

  destroy(): void {
    for (const plan of [...this.#plans.splice(0), ...this.#retired.takeAll()]) plan.destroy();
  }

  #planFor(runs: readonly StepRun[]): StepPlan {
    this.#context.errors.check();
    const plans = this.#plans;
    for (let i = 0; i < plans.length; i += 1) {
      const plan = plans[i];
      if (!plan.matches(runs)) continue;
      if (i > 0) {
        plans.copyWithin(1, 0, i);
        plans[0] = plan;
      }
      return plan;
    }
    const plan = new StepPlan(this.#context, runs);
    try {
      plan.inputPlan();
    } catch (error) {
      plan.destroy();
      throw error;
    }
    plans.unshift(plan);
    plan.whenInvalidated((recordedInto) => {
      if (!this.#remove(plan)) return;
      // What was recorded stays valid.
      if (recordedInto === undefined) plan.destroy();
      else this.#destroyLater(plan);
    });
    if (plans.length > maxStepPlans) {
      this.#destroyLater(plans.pop()!);
    }
    return plan;
  }

  /** Forgets a plan. @returns whether it was known */
  #remove(plan: StepPlan): boolean {
    const index = this.#plans.indexOf(plan);
    if (index >= 0) this.#plans.splice(index, 1);
    return index >= 0;
  }

  #destroyLater(plan: StepPlan): void {
    plan.retire();
    this.#retired.destroyLater(plan);
  }
}

function checkMasks(updates: readonly Update[], count: number): void {
  for (let i = 0; i < count; i += 1) {
    const { mask } = updates[i];
    if (ArrayBuffer.isView(mask))
      throw new GradstepError(
        `Got ${show(mask)} as a mask to encode; expected a tensor, since the encoder may be submitted after the array has changed. Wrap a GPUBuffer with dtype: "u32".`,
        { code: "UNSUPPORTED" },
      );
  }
}
