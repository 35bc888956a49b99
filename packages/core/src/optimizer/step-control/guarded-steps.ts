import type { Kernel, Tensor, Update } from "../../backend/backend.js";
import type { Guard, GuardCounts } from "../../backend/guard.js";
import { GradstepError } from "../../errors.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { Clock } from "../step/step-scalars.js";
import type { CompleteStepControl } from "./step-control-options.js";

/**
 * For how many steps the device has scalars at hand. The host counts skipped steps as taken until it reads the counts,
 * so this is by how much the two can differ.
 */
export const keptSteps = 256;

/** What the device counted, compared to what the host assumed when it asked. */
export interface Reading {
  readonly counts: GuardCounts;
  /** Skipped steps that the host had counted as taken. */
  readonly unknownSkips: number;
}

/** A loss scale that stays 1. */
const unscaled = { initial: 1, growthInterval: Infinity, growthFactor: 1, backoffFactor: 1 };

/** The steps of an optimizer on a device that decides which of them are skipped. */
export class GuardedSteps {
  readonly #guard: Guard;
  readonly #groups: readonly Group[];
  readonly #clock: Clock;
  /** Which groups were frozen at the last step. */
  readonly #frozen: boolean[];
  /** Changes of hyperparameters when scalars were last written; −1 if none of the device's are valid. */
  #seen = -1;
  /** The first step that the device may not have taken yet. */
  #first: number;
  /** Skipped steps that the host knows of. */
  #skippedSteps = 0;
  /** Restored states so far: what was read before one is out of date. */
  #restored = 0;
  #run: { kernel: Kernel | undefined; updates: readonly Update[]; count: number }[] = [
    { kernel: undefined, updates: [], count: 0 },
  ];

  /** @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY` */
  constructor(
    parameter: Tensor,
    groups: readonly Group[],
    clock: Clock,
    { nonFinite, accumulate, lossScale = unscaled }: CompleteStepControl,
    divisor: Float64Array,
  ) {
    const { backend } = parameter;
    if (nonFinite === "throw") throw unsupported(backend.name, 'nonFinite "throw"', '"skip"');
    for (const group of groups) checkGroup(backend.name, group);
    this.#groups = groups;
    this.#frozen = groups.map(({ frozen }) => frozen);
    this.#clock = clock;
    this.#first = clock.iterations + 1;
    this.#guard = backend.guard!({
      scalars: groups.map(({ scalars }) => scalars.values),
      keptSteps,
      divisor,
      accumulate,
      lossScale,
    });
  }

  /** The loss scale on the device. */
  get lossScale(): Tensor {
    return this.#guard.lossScale;
  }

  /**
   * Gives the device the scalars of the next step, and of the steps before it that it may have skipped if a
   * hyperparameter was set.
   *
   * @throws {GradstepError} `UNSUPPORTED`, `INVALID_HYPERPARAMETER`
   */
  prepare(): void {
    for (const group of this.#groups) if (group.every > 1) throw severalSteps();
    const { changes, iterations } = this.#clock;
    this.#takeFrozen(iterations + 1 > this.#first);
    let hasStepRate = false;
    for (const { stepRate } of this.#groups) hasStepRate ||= stepRate !== undefined;
    const before =
      this.#seen === changes && !hasStepRate
        ? 0
        : Math.min(iterations + 1 - this.#first, keptSteps - 1);
    for (let back = before; back >= 0; back -= 1) this.#writeScalars(back);
    // The rate of the next step is another one.
    this.#seen = hasStepRate ? -1 : changes;
  }

  /** @throws {GradstepError} `UNSUPPORTED` if it is not known which steps a group took before it was frozen or released */
  #takeFrozen(isUncertain: boolean): void {
    for (let i = 0; i < this.#groups.length; i += 1) {
      const { frozen } = this.#groups[i];
      if (frozen === this.#frozen[i]) continue;
      if (isUncertain)
        throw new GradstepError(
          `frozen of a group is now ${frozen}, and the host does not know how many steps the device has skipped; call await optimizer.metrics() before you set it.`,
          { code: "UNSUPPORTED" },
        );
      this.#frozen[i] = frozen;
    }
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

  run(runs: readonly KernelRun[], target: object | undefined): void {
    const isUsed = ({ count }: KernelRun): boolean => count > 0;
    const used = runs.every(isUsed) ? runs : runs.filter(isUsed);
    if (used.length > 0) this.#guard.run(used, target);
  }

  advance(target: object | undefined): void {
    this.#guard.advance(target);
  }

  /**
   * Reads what the device has counted, and corrects the counts of the host.
   * @param onRead is told at once, unless a state was restored since
   */
  async read(onRead: (counts: GuardCounts) => void): Promise<Reading> {
    const before = this.#skippedSteps;
    const restored = this.#restored;
    const counts = await this.#guard.read();
    if (restored === this.#restored) {
      this.#moveBack(counts.skippedSteps - this.#skippedSteps);
      this.#skippedSteps = counts.skippedSteps;
      this.#first = counts.steps + 1;
      onRead(counts);
    }
    return { counts, unknownSkips: counts.skippedSteps - before };
  }

  /** Continues from these counts. */
  restore(counts: GuardCounts): void {
    this.#restored += 1;
    this.#seen = -1;
    this.#first = counts.steps + 1;
    this.#skippedSteps = counts.skippedSteps;
    this.#guard.write(counts);
  }

  dispose(): void {
    this.#guard.dispose();
  }

  /** Writes the scalars of the step that is this many before the next one. */
  #writeScalars(back: number): void {
    this.#moveBack(back);
    try {
      for (const group of this.#groups) group.prepare();
      this.#guard.writeScalars(this.#clock.iterations + 1);
    } finally {
      this.#moveBack(-back);
    }
  }

  #moveBack(steps: number): void {
    if (steps === 0) return;
    this.#clock.iterations -= steps;
    for (const group of this.#groups) if (!group.frozen) group.iterations -= steps;
  }
}

/** @throws {GradstepError} `UNSUPPORTED` */
function checkGroup(backend: string, { every, context, sparseOptions }: Group): void {
  if (every > 1) throw severalSteps();
  if (Object.keys(context.variant.persistentScalars).length > 0)
    throw unsupported(
      backend,
      `the rule ${context.spec.rule.name}, which keeps scalars on the host from step to step`,
      "another rule",
    );
  if (sparseOptions.rowSteps) throw unsupported(backend, "rowSteps", "rowSteps: false");
}

function severalSteps(): GradstepError {
  return new GradstepError(
    "A group has every above 1, and the device decides which steps are skipped; expected 1. Leave nonFinite and lossScale out.",
    { code: "UNSUPPORTED" },
  );
}

function unsupported(backend: string, got: string, expected: string): GradstepError {
  return new GradstepError(
    `Got ${got} on backend ${backend}, where the host does not see which gradients are finite; expected ${expected}, or nonFinite and lossScale left out. The counters of await optimizer.metrics() say what was skipped.`,
    { code: "UNSUPPORTED" },
  );
}
