import { usedRuns } from "../../backend/used-runs.js";
import type { OptimizerGroups } from "../groups/optimizer-groups.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterTable } from "../parameters/parameter-table.js";
import type { GradientReader } from "../sparse/sparse-inputs.js";
import type { KernelRunner } from "../step-control/arithmetic-kernels.js";
import { checkSignals } from "../step-control/signal-restrictions.js";
import type { ControlledCall, StepCall } from "../step-control/controlled-call.js";
import type { StepControl } from "../step-control/step-control.js";
import { checkEncodable } from "./encodable-inputs.js";
import type { Gradients } from "./gradients.js";
import { runKernel, runKernels } from "./run-kernels.js";
import { ScaledGradients } from "./scaled-gradients.js";
import { StepInputs } from "./step-inputs.js";
import type { StepOptions } from "./step-options.js";
import type { Clock } from "./step-scalars.js";
import { SignalInputs } from "./step-signals.js";
import { adaptControl } from "../step-control/device-control.js";

/** The parts of an optimizer that take part in a step. */
interface StepParts {
  readonly table: ParameterTable;
  readonly groups: OptimizerGroups;
  readonly clock: Clock;
  /** Undefined if every call is a step. */
  readonly control: StepControl | undefined;
}

const noSteps: readonly number[] = [];

/** Takes steps: checks the inputs of a call, computes the scalars, runs the kernels and counts the step, in this order. */
export class StepRunner {
  readonly #table: ParameterTable;
  readonly #groups: OptimizerGroups;
  readonly #clock: Clock;
  readonly #control: StepControl | undefined;
  readonly #inputs: StepInputs;
  /** Reused in each step. */
  readonly #usedRuns: KernelRun[] = [];
  readonly #signals: SignalInputs;
  readonly #scaled = new ScaledGradients();
  /** The possible next steps of a device, while there are several, and one of them. */
  #possibleSteps = noSteps;
  #assumedStep: number | undefined;

  constructor({ table, groups, clock, control }: StepParts) {
    this.#table = table;
    this.#groups = groups;
    this.#clock = clock;
    this.#control = control;
    this.#inputs = new StepInputs(table.records, table.byName, groups.runs);
    this.#signals = new SignalInputs(table.records, table.byName, groups.all);
  }

  /** Repeats the last step if this one has the same tensors and no options; otherwise does nothing and returns false. */
  repeat(gradients: Gradients): boolean {
    if (this.#control !== undefined) return false;
    const groups = this.#groups;
    if (groups.runs.length > 1 || !this.#inputs.repetition.matches(gradients)) return false;
    const [{ kernel, updates }] = groups.runs;
    if (!groups.areAlwaysDue) return false;
    const repeat = kernel!.repeater?.(updates);
    if (repeat === undefined) return false;
    // A schedule may refuse its value.
    groups.prepareAll();
    // Counted before the run, which evicts all of this from the caches.
    this.#clock.iterations += 1;
    groups.commitAll();
    repeat();
    return true;
  }

  /** To be called when the last step cannot be repeated, because tensors were replaced, moved, removed or exchanged. */
  forget(): void {
    this.#inputs.repetition.forget();
  }

  /** @throws {GradstepError} as `optimizer.step` does; then nothing has changed */
  run(gradients: Gradients, options: StepOptions | undefined): void {
    this.#inputs.begin();
    if (this.#takePossibleSteps(gradients, options, runKernel, undefined)) return;
    const count = this.#prepare(gradients, options, runKernel);
    if (count < 0) return;
    if (this.#signals.isSkipped) {
      this.#commit();
      return;
    }
    this.#runKernels(runKernel, undefined);
    if (!this.#signals.isUsed) this.#inputs.markRun(count);
    this.#commit();
    this.#control?.commit(this.#table.records, runKernel, undefined);
  }

  /** @throws {GradstepError} as `optimizer.encode` does; then nothing has changed */
  encode(target: object, gradients: Gradients, options: StepOptions | undefined): void {
    checkEncodable(this.#table, this.#groups.runs, gradients, options);
    this.#inputs.begin();
    const run: KernelRunner = (kernel, updates, count) => kernel.encode!(target, updates, count);
    if (this.#takePossibleSteps(gradients, options, run, target)) return;
    if (this.#prepare(gradients, options, run, target) < 0) return;
    this.#runKernels(run, target);
    this.#commit();
    this.#control?.commit(this.#table.records, run, target);
  }

  /**
   * Takes a step for which the host does not know which groups take part in it, because the device decides which steps are
   * skipped: everything is done once for each possibility. Does nothing and returns false if there is only one.
   */
  #takePossibleSteps(
    gradients: Gradients,
    options: StepOptions | undefined,
    run: KernelRunner,
    target: object | undefined,
  ): boolean {
    const control = this.#control;
    const guarded = control?.guarded;
    const possibleSteps = guarded?.possibleSteps();
    if (possibleSteps === undefined || possibleSteps.length === 1) return false;
    const inputs = this.#inputs;
    const { accumulate } = control!.options;
    if (options?.clear === true)
      guarded!.checkClearing(this.#table.records, gradients, possibleSteps);
    // Nothing has changed if the inputs of one of them are refused.
    for (let i = 0; i < possibleSteps.length; i += 1)
      inputs.take(gradients, options, possibleSteps[i]);
    this.#possibleSteps = possibleSteps;
    const call = { all: this.#table.records, options, run, target };
    try {
      // The sums are those of all groups that may take part; what differs is which of them make the step.
      if (accumulate > 1 && this.#prepare(gradients, options, run, target) < 0) return true;
      for (let i = 0; i < possibleSteps.length; i += 1) {
        this.#assumedStep = possibleSteps[i];
        guarded!.restrict(possibleSteps[i]);
        const count =
          accumulate > 1
            ? this.#takeStep(control!, call)
            : this.#prepare(gradients, options, run, target);
        if (count >= 0) this.#runKernels(run, target);
      }
      // The arrays of the call, which the steps of sums have replaced.
      if (options?.clear === true) inputs.take(gradients, options, possibleSteps[0]);
    } finally {
      guarded!.restrict(undefined);
      this.#assumedStep = undefined;
      this.#possibleSteps = noSteps;
    }
    this.#commit();
    control!.commit(this.#table.records, run, target);
    return true;
  }

  /** Executes the kernels, or records them into a target; with a guard, the device decides whether they change anything. */
  #runKernels(run: KernelRunner, target: object | undefined): void {
    const runs = usedRuns(this.#groups.runs, this.#usedRuns);
    const guarded = this.#control?.guarded;
    if (guarded === undefined) runKernels(this.#table.backend!, runs, run, target);
    else guarded.run(runs, target);
  }

  /** The step whose groups take part. */
  get #iteration(): number {
    return this.#assumedStep ?? this.#clock.iterations + 1;
  }

  /** Checks and prepares everything that a step needs; returns the number of its updates, −1 if the call makes no step. */
  #prepare(
    gradients: Gradients,
    options: StepOptions | undefined,
    run: KernelRunner,
    target?: object,
  ): number {
    const iteration = this.#iteration;
    const inputs = this.#inputs;
    const signals = this.#signals;
    const count = inputs.take(
      gradients,
      options,
      iteration,
      this.#areSumsShared ? this.#possibleSteps : noSteps,
    );
    signals.take(options, inputs.taken, count);
    const control = this.#control;
    if (control !== undefined)
      checkSignals(signals, control.options, control.guarded !== undefined);
    if (signals.isSkipped) {
      this.#groups.prepare(iteration);
      inputs.clearOnHost(count);
      return count;
    }
    if (control !== undefined)
      return this.#prepareControlled(control, {
        records: inputs.taken,
        updates: inputs.updates,
        count,
        isLazy: inputs.isLazy,
        all: this.#table.records,
        options,
        run,
        target,
      });
    this.#stage(count, "rule", run);
    inputs.divideByRowSteps();
    return count;
  }

  /** Puts the gradients into the updates, and computes the scalars. */
  #stage(count: number, reader: GradientReader, run: KernelRunner): void {
    const inputs = this.#inputs;
    const { factor } = this.#signals;
    const isScaled = factor !== 1 && count > 0;
    if (isScaled) this.#scaled.reserve(inputs.taken, count);
    inputs.stage(this.#table.stage, isScaled ? "arithmetic" : reader);
    this.#groups.prepare(this.#clock.iterations + 1);
    if (!isScaled) return;
    inputs.clearOnHost(count);
    this.#scaled.multiply(factor, inputs.taken, inputs.updates, count, run);
  }

  #prepareControlled(control: StepControl, call: ControlledCall): number {
    const inputs = this.#inputs;
    const { count, run } = call;
    // Tensors may be bound to memory of another backend than before.
    if (count > 0)
      adaptControl(control, inputs.updates[0].parameter, this.#groups.all, this.#clock);
    control.reserve(call);
    this.#stage(count, control.hasAccumulators ? "arithmetic" : "rule", run);
    if (control.isStepDue) control.guarded?.prepare();
    if (!control.admits(call)) {
      inputs.clearOnHost(count);
      inputs.clear();
      return -1;
    }
    if (!control.hasAccumulators) {
      inputs.divideByRowSteps(control.guarded?.window);
      return count;
    }
    const scale = this.#signals.moveScale();
    const isDue = control.take(call, scale);
    // Other possible steps read the same arrays.
    if (this.#assumedStep === undefined) inputs.clear();
    if (!isDue) return -1;
    return this.#areSumsShared ? count : this.#takeStep(control, call);
  }

  /** Whether several possible steps are made of the sums of one call. */
  get #areSumsShared(): boolean {
    return this.#possibleSteps.length > 0 && this.#assumedStep === undefined;
  }

  /** Prepares the step of what the accumulators have; returns the number of its updates, −1 if it is left out. */
  #takeStep(control: StepControl, call: StepCall): number {
    const inputs = this.#inputs;
    if (!control.takeStep(call, this.#iteration)) return -1;
    const { step, stepOptions } = control;
    if (step.count === 0) return 0;
    const accumulated = inputs.take(step.gradients, stepOptions, this.#iteration);
    inputs.stage(this.#table.stage, "rule");
    if (control.options.accumulate === 1) inputs.selectAccumulated(accumulated);
    inputs.divideByRowSteps(control.guarded?.window);
    return accumulated;
  }

  /** Counts the step. */
  #commit(): void {
    this.#clock.iterations += 1;
    this.#inputs.commit();
    this.#groups.commit(this.#clock.iterations);
  }
}
