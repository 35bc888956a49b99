import type { StepSignals, Update } from "../../backend/backend.js";
import type { Variant } from "../../rule/variant.js";
import { GradstepError } from "../../errors.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { StepOptions } from "../step/step-options.js";
import { givenMask } from "../rows/row-limit.js";
import { Accumulator } from "./accumulator.js";
import { ArithmeticKernels, type KernelRunner } from "./arithmetic-kernels.js";
import { checkSumMasks } from "./check-sum-masks.js";
import type { ControlledCall, StepCall } from "./controlled-call.js";
import { findNonFinite } from "./finite-gradients.js";
import { addition, clearing, division, quotient } from "./gradient-arithmetic.js";
import type { GuardedSteps } from "../guarded/guarded-steps.js";
import { LossScale } from "./loss-scale.js";
import { StepAccumulators } from "./step-accumulators.js";
import type { CompleteStepControl } from "./complete-step-control.js";

/**
 * Makes steps of calls: accumulates gradients, divides them by the loss scale, and leaves steps out whose gradients are
 * not finite.
 */
export class StepControl {
  readonly options: CompleteStepControl;
  /** Calls since the last step. */
  microSteps = 0;
  /** Steps that were skipped, in all and since the last one that was not. */
  skippedSteps = 0;
  consecutiveSkips = 0;
  readonly lossScale: LossScale | undefined;
  /** Undefined where the host sees the gradients. */
  guarded: GuardedSteps | undefined;
  /** By what gradients are divided, in its only element. */
  readonly divisor = new Float64Array(1);
  #kernels: ArithmeticKernels | undefined;
  /** The updates of the accumulators of the call. */
  readonly #updates: Update[] = [];
  /** What the rule gets. */
  readonly step = new StepAccumulators();
  /** The rows of the step; undefined for all. */
  stepOptions: StepOptions | undefined;
  /** What happens to the rows that no call of the next step selects. */
  unselectedRows: StepOptions["unselectedRows"];

  constructor(options: CompleteStepControl) {
    this.options = options;
    if (options.lossScale !== undefined) this.lossScale = new LossScale(options.lossScale);
  }

  /** Whether gradients pass through memory of their own. */
  get hasAccumulators(): boolean {
    return this.options.accumulate > 1 || this.lossScale !== undefined;
  }

  /** By how much schedules advance in a step. */
  get callsPerStep(): number {
    return this.options.schedulesCount === "calls" ? this.options.accumulate : 1;
  }

  /** What `optimizer.metrics()` has of it. */
  get metrics(): Readonly<Record<string, number>> {
    const { skippedSteps, consecutiveSkips, lossScale } = this;
    return {
      ...(this.options.nonFinite === "skip" && { skippedSteps, consecutiveSkips }),
      ...(lossScale !== undefined && { lossScale: lossScale.scale }),
    };
  }

  /** Whether the next call makes a step, unless it is skipped. */
  get isStepDue(): boolean {
    // More, if the call that was to make the step was refused after its gradients were added.
    return this.microSteps + 1 >= this.options.accumulate;
  }

  /**
   * Makes the accumulators that a call needs, before its gradients enter the backend's memory, which may grow.
   * @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY`
   */
  reserve(call: ControlledCall): void {
    const { records, count, all, options, target } = call;
    const { guarded } = this;
    if (guarded !== undefined) for (let i = 0; i < count; i += 1) guarded.countRows(records[i]);
    if (!this.hasAccumulators) return;
    const { accumulate } = this.options;
    const unselectedRows = options?.unselectedRows ?? this.unselectedRows ?? "keep";
    if (accumulate > 1 && unselectedRows !== "keep") checkSumMasks(call, unselectedRows);
    for (let i = 0; i < count; i += 1) {
      const accumulator = this.accumulatorOf(records[i]);
      if (accumulate > 1) accumulator.reserve(records[i].name, givenMask(records[i]));
    }
    if (target !== undefined && this.isStepDue)
      for (const { name, accumulator } of all) accumulator?.reserveForRecording(name);
  }

  /** The accumulator of a parameter, made at the first call. @throws {GradstepError} `OUT_OF_MEMORY` */
  accumulatorOf(record: ParameterRecord): Accumulator {
    record.accumulator ??= new Accumulator(record.update.parameter, this.divisor);
    return record.accumulator;
  }

  /**
   * Whether the gradients of a call are finite where they must be. Nothing has changed if not.
   * @throws {GradstepError} `NON_FINITE`
   */
  admits({ records, updates, count, target }: ControlledCall): boolean {
    const { guarded } = this;
    const { nonFinite, accumulate } = this.options;
    if (nonFinite === "propagate") return true;
    // What is accumulated is checked at the step.
    if (accumulate > 1 && (nonFinite === "skip" || guarded !== undefined)) return true;
    if (guarded !== undefined) {
      guarded.check(updates, count, target);
      return true;
    }
    const found = findNonFinite(updates, count);
    if (found === undefined) return true;
    if (nonFinite === "skip") {
      this.#skip();
      return false;
    }
    const { update, index, value } = found;
    throw new GradstepError(
      `Gradient "${records[update].name}" has ${value} at ${index}; expected finite values. Use nonFinite: "skip" to leave such steps out.`,
      { code: "NON_FINITE" },
    );
  }

  /**
   * Adds the gradients of a call to the accumulated ones, or divides them by the loss scale.
   * @param scale that of the gradients, if kernels take it
   * @returns whether a step follows: then `takeStep` is to be called
   */
  take(call: ControlledCall, scale: StepSignals | undefined): boolean {
    const { all, options, run, count } = call;
    const isDue = this.isStepDue;
    const { accumulate } = this.options;
    this.divisor[0] = this.lossScale?.scale ?? 1;
    this.#kernels ??= new ArithmeticKernels(all[0].update.parameter.backend);
    this.#select(call, scale);
    if (accumulate === 1) {
      if (count > 0) this.#divide(quotient(), this.#updates, count, call);
      return true;
    }
    this.unselectedRows = options?.unselectedRows ?? this.unselectedRows;
    if (count > 0) run(this.#kernels.get(addition()), this.#updates, count);
    this.microSteps += 1;
    return isDue;
  }

  /**
   * Makes a step of what the accumulators have.
   * @param iteration the step whose groups take part
   * @returns whether it is taken, with the gradients of `step` and with `stepOptions`
   */
  takeStep(call: StepCall, iteration: number): boolean {
    const { all, options, run, target } = call;
    const { step, guarded } = this;
    const { accumulate, nonFinite } = this.options;
    if (target !== undefined && accumulate > 1)
      for (const { accumulator } of all) accumulator?.moveRowsToDevice();
    step.collect(all, iteration);
    if (accumulate === 1) {
      // The gradients have been cleared, and the quotients need not be.
      this.stepOptions = options?.clear === true ? { ...options, clear: false } : options;
      return true;
    }
    if (guarded !== undefined) guarded.check(step.sums, step.count, target);
    else if (nonFinite !== "propagate" && findNonFinite(step.sums, step.count) !== undefined) {
      this.#clear(all, run);
      if (nonFinite === "throw")
        throw new GradstepError(
          "The sum of the accumulated gradients is not finite, although they are; they were dropped. Divide the loss by a constant.",
          { code: "NON_FINITE" },
        );
      this.#skip();
      return false;
    }
    this.divisor[0] = (this.lossScale?.scale ?? 1) * accumulate;
    if (step.count > 0) this.#divide(division(), step.updates, step.count, call);
    this.stepOptions = step.masks(this.unselectedRows);
    return true;
  }

  /** To be called after a step that was taken. @param all the records of the optimizer */
  commit(all: readonly ParameterRecord[], run: KernelRunner, target: object | undefined): void {
    if (this.options.accumulate > 1) this.#clear(all, run);
    else this.step.release(all, this.#kernels!, run);
    if (this.guarded !== undefined) {
      this.guarded.advance(target);
      return;
    }
    this.consecutiveSkips = 0;
    this.lossScale?.grow();
  }

  /** Runs a kernel that reads the divisor, which may be on the device. */
  #divide(
    variant: Variant,
    updates: readonly Update[],
    count: number,
    { run, target }: StepCall,
  ): void {
    const { guarded } = this;
    const kernel = this.#kernels!.get(variant);
    if (guarded === undefined) run(kernel, updates, count);
    else guarded.runKernel(kernel, updates, count, target);
  }

  /** Hands the gradients of a call to the accumulators. */
  #select(
    { records, updates, count, isLazy, run }: ControlledCall,
    scale: StepSignals | undefined,
  ): void {
    for (let i = 0; i < count; i += 1) {
      const record = records[i];
      const accumulator = record.accumulator!;
      const { update } = accumulator;
      const { gradient, clearsGradient, mask } = updates[i];
      const isSelected = this.options.accumulate > 1 || isLazy(record);
      update.gradient = gradient;
      update.clearsGradient = clearsGradient;
      update.mask = isSelected ? mask : undefined;
      update.signals = scale;
      // A number of rows leaves out the others in this call, but selects none for the step.
      accumulator.select(isSelected ? givenMask(record) : undefined, this.#kernels!, run);
      this.#updates[i] = update;
    }
  }

  #clear(all: readonly ParameterRecord[], run: KernelRunner): void {
    this.step.collect(all);
    const { updates, count } = this.step;
    if (count > 0) run(this.#kernels!.get(clearing()), updates, count);
    this.step.release(all, this.#kernels!, run);
    this.microSteps = 0;
    this.unselectedRows = undefined;
  }

  #skip(): void {
    this.skippedSteps += 1;
    this.consecutiveSkips += 1;
    this.lossScale?.shrink();
  }
}
