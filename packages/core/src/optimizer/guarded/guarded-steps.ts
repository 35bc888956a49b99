import type { BatchRun, Kernel, Tensor, Update } from "../../backend/backend.js";
import type { Guard, GuardOptions } from "../../backend/guard.js";
import type { Group } from "../groups/group.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { CompleteStepControl } from "../step-control/complete-step-control.js";
import type { Gradients } from "../step/gradients.js";
import type { Clock } from "../step/step-scalars.js";
import { PersistentScalars } from "./persistent-scalars.js";
import { CountedSteps } from "./counted-steps.js";
import { DeviceCounts, keptSteps } from "./device-counts.js";
import { DeviceScalars } from "./device-scalars.js";
import { clearingSomeSteps, clearingSums, uncertainRowSteps } from "./guard-errors.js";
import { GuardedRowSteps } from "./guarded-row-steps.js";
import { maxWindowLength, type StepWindow } from "./row-scalar-sets.js";
import { rowStepsKept } from "./row-steps-kept.js";
import { StepKinds } from "./step-kinds.js";
import { groupStepsBetween } from "./group-steps.js";

/** The parts of an optimizer whose steps are guarded. */
export interface GuardedOptimizer {
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly options: CompleteStepControl;
  /** See `GuardOptions.divisor`. */
  readonly divisor: Float64Array;
}

/** Makes guards. */
interface GuardSource {
  guard(options: GuardOptions): Guard;
}

/** What the host does for steps that a device decides on. */
export interface GuardSteps {
  (backend: GuardSource, optimizer: GuardedOptimizer): GuardedSteps;
}

/** For backends with a guard: what they have as `guardSteps`. */
export const guardSteps: GuardSteps = (backend, optimizer) => new GuardedSteps(backend, optimizer);

/** A loss scale that stays 1. */
const unscaled = { initial: 1, growthInterval: Infinity, growthFactor: 1, backoffFactor: 1 };

/** The steps of an optimizer on a device that decides which of them are skipped. */
export class GuardedSteps {
  readonly #guard: Guard;
  readonly #groups: readonly Group[];
  readonly #clock: Clock;
  readonly #accumulate: number;
  readonly #kinds: StepKinds;
  /** The steps that may be the device's next one, as far as the scalars of rows are kept for them. */
  window: StepWindow = { first: 0, last: 0, read: 0 };
  readonly #counted: CountedSteps;
  readonly #scalars: DeviceScalars;
  readonly counts: DeviceCounts;
  #run: { kernel: Kernel | undefined; updates: readonly Update[]; count: number }[] = [
    { kernel: undefined, updates: [], count: 0 },
  ];

  /** `counts.restore` is to be called before the first step. @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY` */
  constructor(backend: GuardSource, { groups, clock, options, divisor }: GuardedOptimizer) {
    const { nonFinite, accumulate, lossScale = unscaled } = options;
    this.#groups = groups;
    this.#accumulate = accumulate;
    this.#kinds = new StepKinds(groups);
    this.#counted = new CountedSteps(groups, clock);
    this.#clock = clock;
    const persistent = new PersistentScalars(groups, keptSteps);
    this.#guard = backend.guard({
      scalars: groups.map(({ scalars }) => scalars.values),
      persistent: persistent.values,
      keptSteps,
      stopsAtNonFinite: nonFinite === "throw",
      divisor,
      accumulate,
      lossScale,
    });
    const parts = { guard: this.#guard, groups, clock, persistent, counted: this.#counted };
    this.#scalars = new DeviceScalars({ ...parts, kinds: this.#kinds });
    this.counts = new DeviceCounts({ ...parts, scalars: this.#scalars });
  }

  /** The loss scale on the device. */
  get lossScale(): Tensor {
    return this.#guard.lossScale;
  }

  /**
   * Gives the device everything for the next step.
   * @throws {GradstepError} `UNSUPPORTED`, `INVALID_HYPERPARAMETER`
   */
  prepare(): void {
    const uncertain = this.#clock.iterations + 1 - this.counts.first;
    this.#counted.takeParticipation(uncertain > 0);
    this.#takeWindow();
    this.#scalars.prepare(uncertain);
  }

  #takeWindow(): void {
    const last = this.#clock.iterations + 1;
    const kept = rowStepsKept(this.#groups);
    const first = Math.max(this.counts.first, last - (kept ?? keptSteps) + 1);
    this.window = { first, last, read: this.counts.first };
    this.#guard.startAt(kept === undefined ? 0 : first);
  }

  /**
   * The steps that may be the device's next one, if different groups take part in them: everything that differs is to be
   * done for each of them, after `restrict`. Valid until the next call.
   *
   * @throws {GradstepError} `UNSUPPORTED` if the rows of a group may have taken too many different numbers of steps
   */
  possibleSteps(): readonly number[] {
    const next = this.#clock.iterations + 1;
    for (const group of this.#groups) {
      const { sparseOptions, every } = group;
      if (
        sparseOptions.rowSteps &&
        every > 1 &&
        groupStepsBetween(group, this.counts.first, next - 1) >= maxWindowLength
      )
        throw uncertainRowSteps(every, maxWindowLength - 1);
    }
    return this.#kinds.among(Math.max(this.counts.first, next - keptSteps + 1), next);
  }

  /** Lets checks and runs do something only if the device's next step has the groups of step `t`; always if undefined. */
  restrict(t: number | undefined): void {
    this.#guard.restrict(t && this.#kinds.of(t));
  }

  /**
   * Checks that gradients can be cleared although different groups take part in the steps that may be the next one.
   * @throws {GradstepError} `UNSUPPORTED` for gradients that are summed first, and for an array whose group takes part in
   * some of these steps
   */
  checkClearing(
    records: readonly ParameterRecord[],
    gradients: Gradients,
    steps: readonly number[],
  ): void {
    if (this.#accumulate > 1) throw clearingSums();
    for (const { name, group } of records) {
      if (!ArrayBuffer.isView(gradients[name])) continue;
      if (steps.some((t) => group.isDue(t) !== group.isDue(steps[0])))
        throw clearingSomeSteps(name);
    }
  }

  /** Lets the device count the steps of the rows of a parameter, if they are counted. @throws {GradstepError} `OUT_OF_MEMORY` */
  countRows({ rowSteps, update }: ParameterRecord): void {
    if (rowSteps !== undefined)
      rowSteps.guarded ??= GuardedRowSteps.begin(update.parameter, rowSteps.counts);
  }

  check(updates: readonly Update[], count: number, target: object | undefined): void {
    if (count > 0) this.#guard.check(updates, count, target);
  }

  runKernel(
    kernel: Kernel,
    updates: readonly Update[],
    count: number,
    target: object | undefined,
  ): void {
    const [run] = this.#run;
    run.kernel = kernel;
    run.updates = updates;
    run.count = count;
    this.#guard.run(this.#run, target);
  }

  run(runs: readonly BatchRun[], target: object | undefined): void {
    if (runs.length > 0) this.#guard.run(runs, target);
  }

  advance(target: object | undefined): void {
    this.#guard.advance(target);
  }

  dispose(): void {
    this.#guard.dispose();
  }
}
