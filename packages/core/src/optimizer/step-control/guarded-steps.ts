import type { BatchRun, Kernel, Tensor, Update } from "../../backend/backend.js";
import type { Guard, GuardCounts, GuardingBackend } from "../../backend/guard.js";
import type { Group } from "../groups/group.js";
import { stepsAmong } from "../groups/steps-among.js";
import type { Clock } from "../step/step-scalars.js";
import { CarriedScalars } from "./carried-scalars.js";
import { CountedSteps } from "./counted-steps.js";
import { DeviceScalars, rewrittenSteps } from "./device-scalars.js";
import { stopError, uncertainRowSteps } from "./guard-errors.js";
import type { RowReading } from "../sparse/guarded-row-steps.js";
import { maxWindowLength, type StepWindow } from "../sparse/row-scalar-sets.js";
import { rowStepsKept } from "./row-steps-kept.js";
import { StepKinds } from "./step-kinds.js";
import type { CompleteStepControl } from "./complete-step-control.js";

/**
 * For how many steps the device keeps scalars. The host counts steps as taken until it reads the counts, so this is by how
 * much the two can differ. If they differ by more, the device stops, and the next `read` rejects.
 */
const keptSteps = 2048;

/** What the device counted, compared to what the host assumed when it asked. */
export interface Reading {
  readonly counts: GuardCounts;
  /** Steps that the host had counted as taken, and the device has not taken. */
  readonly untakenSteps: number;
  /** The same for each group. */
  readonly untakenByGroup: readonly number[];
  /** The persistent scalars of each group. */
  readonly persistentScalars: readonly Readonly<Record<string, number>>[];
  /** Per parameter whose rows count their own steps: those that each row has taken. */
  readonly rowSteps: readonly Uint32Array[];
}

/** What the host knows when a device begins to decide. */
export type FirstCounts = Pick<
  GuardCounts,
  "steps" | "skippedSteps" | "consecutiveSkips" | "goodSteps" | "lossScale"
>;

/** The parts of an optimizer whose steps are guarded. */
interface GuardedOptimizer {
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly options: CompleteStepControl;
  /** See `GuardOptions.divisor`. */
  readonly divisor: Float64Array;
}

/** A loss scale that stays 1. */
const unscaled = { initial: 1, growthInterval: Infinity, growthFactor: 1, backoffFactor: 1 };

/** The steps of an optimizer on a device that decides which of them are skipped. */
export class GuardedSteps {
  readonly #guard: Guard;
  readonly #groups: readonly Group[];
  readonly #clock: Clock;
  readonly #carried: CarriedScalars;
  readonly #kinds: StepKinds;
  /** The steps that may be the device's next one, as far as the scalars of rows are kept for them. */
  window: StepWindow = { first: 0, last: 0, read: 0 };
  readonly #counted: CountedSteps;
  readonly #scalars: DeviceScalars;
  /** The first step that the device may not have taken yet. */
  #first = 0;
  /** Steps that, as the host knows, were not taken. */
  #untaken = 0;
  /** Those of them that were skipped. */
  #skipped = 0;
  /** Stops that the host knows. */
  #stops = 0;
  /** Restored states so far: what was read before one is out of date. */
  #restored = 0;
  #run: { kernel: Kernel | undefined; updates: readonly Update[]; count: number }[] = [
    { kernel: undefined, updates: [], count: 0 },
  ];

  /** `restore` is to be called before the first step. @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY` */
  constructor(backend: GuardingBackend, { groups, clock, options, divisor }: GuardedOptimizer) {
    const { nonFinite, accumulate, lossScale = unscaled } = options;
    this.#groups = groups;
    this.#kinds = new StepKinds(groups);
    this.#counted = new CountedSteps(groups, clock);
    this.#clock = clock;
    this.#carried = new CarriedScalars(groups, keptSteps);
    this.#guard = backend.guard({
      scalars: groups.map(({ scalars }) => scalars.values),
      carried: this.#carried.values,
      keptSteps,
      stopsAtNonFinite: nonFinite === "throw",
      divisor,
      accumulate,
      lossScale,
    });
    this.#scalars = new DeviceScalars({
      guard: this.#guard,
      groups,
      clock,
      carried: this.#carried,
      kinds: this.#kinds,
      counted: this.#counted,
    });
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
    const uncertain = this.#clock.iterations + 1 - this.#first;
    this.#counted.takeParticipation(uncertain > 0);
    this.#takeWindow();
    this.#scalars.prepare(uncertain);
  }

  #takeWindow(): void {
    const last = this.#clock.iterations + 1;
    const kept = rowStepsKept(this.#groups);
    const first = Math.max(this.#first, last - (kept ?? keptSteps) + 1);
    this.window = { first, last, read: this.#first };
    this.#guard.startAt(kept === undefined ? 0 : first);
  }

  /**
   * The steps that may be the device's next one, if different groups take part in them: everything that differs is to be
   * done for each of them, after `beginTurn`. Valid until the next call.
   *
   * @throws {GradstepError} `UNSUPPORTED` if the rows of a group may have taken too many different numbers of steps
   */
  turns(): readonly number[] {
    const next = this.#clock.iterations + 1;
    for (const group of this.#groups) {
      const { sparseOptions, every } = group;
      if (
        sparseOptions.rowSteps &&
        every > 1 &&
        stepsAmong(group, this.#first, next - 1) >= maxWindowLength
      )
        throw uncertainRowSteps(every, maxWindowLength - 1);
    }
    return this.#kinds.among(Math.max(this.#first, next - keptSteps + 1), next);
  }

  /** Lets checks and runs do something only if the device's next step has the groups of step `t`. */
  beginTurn(t: number): void {
    this.#guard.restrict(this.#kinds.of(t));
  }

  endTurns(): void {
    this.#guard.restrict(undefined);
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

  /**
   * Reads what the device has counted, and corrects the counts of the host.
   * @param rows readings of the steps of rows
   * @param onRead is told at once, unless a state was restored since
   * @throws {GradstepError} why the device has stopped, once per stop: `NON_FINITE`, `UNSUPPORTED`. It takes steps again.
   */
  async read(rows: readonly RowReading[], onRead: (counts: GuardCounts) => void): Promise<Reading> {
    const before = this.#untaken;
    const restored = this.#restored;
    const stops = this.#stops;
    const { iterations } = this.#clock;
    // The groups may have been changed since the last step, and the next step may be taken before this is read.
    const participation = this.#counted.participation();
    const [counts, ...values] = await Promise.all([
      this.#guard.read(),
      ...rows.map((one) => one.values),
    ]);
    // The device does not carry them on in a step without gradients for the groups that are due.
    const isKept = restored === this.#restored && this.#clock.iterations - counts.steps < keptSteps;
    const carried = isKept ? this.#carried.after(counts.steps).slice() : counts.carried;
    // What was asked before the host heard of a stop has nothing new; it lacks steps that were left out after it.
    const isOutdated = stops !== this.#stops || restored !== this.#restored;
    if (isOutdated) for (const one of rows) one.target?.forget(one);
    else {
      const hasStopped = counts.stops > stops;
      rows.forEach((one, i) => one.target?.correct(one, values[i], hasStopped));
      this.#correct(counts, onRead);
    }
    const untakenSteps = counts.skippedSteps + counts.missedSteps - before;
    return {
      counts,
      untakenSteps,
      untakenByGroup: participation.map((one) =>
        stepsAmong(one, iterations - untakenSteps + 1, iterations),
      ),
      persistentScalars: this.#groups.map((_, i) => this.#carried.named(i, carried)),
      rowSteps: values.map((one) => Uint32Array.from(one)),
    };
  }

  /** @throws {GradstepError} why the device has stopped */
  #correct(counts: GuardCounts, onRead: (counts: GuardCounts) => void): void {
    const clock = this.#clock;
    const before = this.#untaken;
    const untaken = counts.skippedSteps + counts.missedSteps;
    const hasStopped = counts.stops > this.#stops;
    // A device that has stopped has not taken the steps since then either.
    const back = hasStopped ? clock.iterations - counts.steps : untaken - before;
    this.#counted.moveBack(back);
    this.#untaken = before + back;
    const missed = back - (counts.skippedSteps - this.#skipped);
    this.#skipped = counts.skippedSteps;
    this.#first = counts.steps + 1;
    if (back >= keptSteps && clock.iterations === counts.steps) this.#carried.give(counts.carried);
    else if (back !== 0) this.#carried.goTo(clock.iterations);
    onRead(counts);
    if (!hasStopped) return;
    this.#stops = counts.stops;
    this.#scalars.invalidate();
    this.#guard.resume(counts.stops);
    throw stopError(counts, missed, rowStepsKept(this.#groups) ?? rewrittenSteps);
  }

  /** Continues from these counts. */
  restore(counts: FirstCounts): void {
    this.#restored += 1;
    this.#scalars.invalidate();
    this.#first = counts.steps + 1;
    this.#untaken = counts.skippedSteps;
    this.#skipped = counts.skippedSteps;
    this.#stops = 0;
    this.#carried.takeCurrent(counts.steps);
    const { values: carried } = this.#carried;
    this.#guard.write({ ...counts, carried, missedSteps: 0, stops: 0, stopCause: undefined });
  }

  dispose(): void {
    this.#guard.dispose();
  }
}
