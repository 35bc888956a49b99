import type { Guard, GuardCounts } from "../../backend/guard.js";
import type { Group } from "../groups/group.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { OptimizerState } from "../state/optimizer-state.js";
import type { Clock } from "../step/step-scalars.js";
import type { PersistentScalars } from "./persistent-scalars.js";
import { correctedState } from "./corrected-state.js";
import type { CountedSteps } from "./counted-steps.js";
import { rewrittenSteps, type DeviceScalars } from "./device-scalars.js";
import { stopError } from "./guard-errors.js";
import { rowStepsKept } from "./row-steps-kept.js";
import { groupStepsBetween } from "./group-steps.js";

/**
 * For how many steps the device keeps scalars. The host counts steps as taken until it reads the counts, so this is by how
 * much the two can differ. If they differ by more, the device stops, and the next `read` rejects.
 */
export const keptSteps = 2048;

/** What the host knows when a device begins to decide. */
export type FirstCounts = Pick<
  GuardCounts,
  "steps" | "skippedSteps" | "consecutiveSkips" | "goodSteps" | "lossScale"
>;

/** What is corrected when the device's counts are read. */
interface CountedParts {
  readonly guard: Guard;
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly persistent: PersistentScalars;
  readonly counted: CountedSteps;
  readonly scalars: DeviceScalars;
}

/** What the host knows of the steps that a device has counted. */
export class DeviceCounts {
  readonly #parts: CountedParts;
  /** The first step that the device may not have taken yet. */
  first = 0;
  /** Steps that, as the host knows, were not taken. */
  #untaken = 0;
  /** Those of them that were skipped. */
  #skipped = 0;
  /** Stops that the host knows. */
  #stops = 0;
  /** Restored states so far: what was read before one is out of date. */
  #restored = 0;

  constructor(parts: CountedParts) {
    this.#parts = parts;
  }

  /**
   * Reads what the device has counted, and corrects the counts of the host.
   * @param records those of the optimizer
   * @param onRead is told at once, unless a state was restored since
   * @returns corrects a state that was made at the time of the call
   * @throws {GradstepError} why the device has stopped, once per stop: `NON_FINITE`, `UNSUPPORTED`. It takes steps again.
   */
  async read(
    records: readonly ParameterRecord[],
    onRead: (counts: GuardCounts) => void,
  ): Promise<(state: OptimizerState) => OptimizerState> {
    const { guard, groups, clock, persistent, counted } = this.#parts;
    const counting = records.filter(({ rowSteps }) => rowSteps?.guarded !== undefined);
    const rows = counting.map(({ rowSteps }) => rowSteps!.guarded!.read());
    const before = this.#untaken;
    const restored = this.#restored;
    const stops = this.#stops;
    const { iterations } = clock;
    // The groups may have been changed since the last step, and the next step may be taken before this is read.
    const participation = counted.participation();
    const [counts, ...values] = await Promise.all([guard.read(), ...rows.map((one) => one.values)]);
    // The device does not compute them in a step without gradients for the groups that are due.
    const isKept = restored === this.#restored && clock.iterations - counts.steps < keptSteps;
    const lastScalars = isKept ? persistent.after(counts.steps).slice() : counts.persistent;
    // What was asked before the host heard of a stop has nothing new; it lacks steps that were left out after it.
    const isOutdated = stops !== this.#stops || restored !== this.#restored;
    if (isOutdated) for (const one of rows) one.target?.forget(one);
    else {
      const hasStopped = counts.stops > stops;
      rows.forEach((one, i) => one.target?.correct(one, values[i], hasStopped));
      this.#correct(counts, onRead);
    }
    const untakenSteps = counts.skippedSteps + counts.missedSteps - before;
    const reading = {
      counts,
      untakenSteps,
      untakenByGroup: participation.map((one) =>
        groupStepsBetween(one, iterations - untakenSteps + 1, iterations),
      ),
      persistentScalars: groups.map((_, i) => persistent.named(i, lastScalars)),
      rowSteps: Object.fromEntries(
        counting.map(({ name }, i) => [name, Uint32Array.from(values[i])]),
      ),
    };
    return (state) => correctedState(state, reading);
  }

  /** @throws {GradstepError} why the device has stopped */
  #correct(counts: GuardCounts, onRead: (counts: GuardCounts) => void): void {
    const { guard, groups, clock, persistent, counted, scalars } = this.#parts;
    const before = this.#untaken;
    const untaken = counts.skippedSteps + counts.missedSteps;
    const hasStopped = counts.stops > this.#stops;
    // A device that has stopped has not taken the steps since then either.
    const back = hasStopped ? clock.iterations - counts.steps : untaken - before;
    counted.moveBack(back);
    this.#untaken = before + back;
    const missed = back - (counts.skippedSteps - this.#skipped);
    this.#skipped = counts.skippedSteps;
    this.first = counts.steps + 1;
    if (back >= keptSteps && clock.iterations === counts.steps) persistent.give(counts.persistent);
    else if (back !== 0) persistent.goTo(clock.iterations);
    onRead(counts);
    if (!hasStopped) return;
    this.#stops = counts.stops;
    scalars.invalidate();
    guard.resume(counts.stops);
    throw stopError(counts, missed, rowStepsKept(groups) ?? rewrittenSteps);
  }

  /** Continues from these counts. */
  restore(counts: FirstCounts): void {
    const { guard, persistent, scalars } = this.#parts;
    this.#restored += 1;
    scalars.invalidate();
    this.first = counts.steps + 1;
    this.#untaken = counts.skippedSteps;
    this.#skipped = counts.skippedSteps;
    this.#stops = 0;
    persistent.takeCurrent(counts.steps);
    guard.write({
      ...counts,
      persistent: persistent.values,
      missedSteps: 0,
      stops: 0,
      stopCause: undefined,
    });
  }
}
