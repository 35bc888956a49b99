import type { Guard } from "../../backend/guard.js";
import type { Group } from "../groups/group.js";
import type { Clock } from "../step/step-scalars.js";
import type { PersistentScalars } from "./persistent-scalars.js";
import type { CountedSteps } from "./counted-steps.js";
import { uncertainScalars } from "./guard-errors.js";
import type { StepKinds } from "./step-kinds.js";

/** For how many steps scalars are written again when a hyperparameter was set. */
export const rewrittenSteps = 256;

/** What the scalars of steps depend on, and the guard that keeps them. */
interface ScalarSources {
  readonly guard: Guard;
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly persistent: PersistentScalars;
  readonly kinds: StepKinds;
  readonly counted: CountedSteps;
}

/** The scalars that a device has for the steps that may be its next one. */
export class DeviceScalars {
  readonly #guard: Guard;
  readonly #groups: readonly Group[];
  readonly #clock: Clock;
  readonly #persistent: PersistentScalars;
  readonly #kinds: StepKinds;
  readonly #counted: CountedSteps;
  /** Changes of hyperparameters when scalars were last written; −1 if none of the device's are valid. */
  #seen = -1;

  constructor({ guard, groups, clock, persistent, kinds, counted }: ScalarSources) {
    this.#guard = guard;
    this.#groups = groups;
    this.#clock = clock;
    this.#persistent = persistent;
    this.#kinds = kinds;
    this.#counted = counted;
  }

  /** To be called when those of the device no longer hold. */
  invalidate(): void {
    this.#seen = -1;
  }

  /**
   * Writes the scalars of the next step, and if a hyperparameter was set, of the steps before it that may have been skipped.
   * @param uncertain how many steps before the next one the device may not have taken
   * @throws {GradstepError} `UNSUPPORTED`, `INVALID_HYPERPARAMETER`
   */
  prepare(uncertain: number): void {
    const { changes, iterations } = this.#clock;
    let hasStepRate = false;
    for (const { stepRate } of this.#groups) hasStepRate ||= stepRate !== undefined;
    if (this.#seen === changes && !hasStepRate) {
      this.#write(0);
      return;
    }
    const before = Math.min(uncertain, rewrittenSteps - 1);
    if (!this.#keepsPersistent(before)) throw uncertainScalars();
    this.#seen = -1;
    this.#guard.replaceScalars(iterations + 1 - before);
    for (let back = before; back >= 0; back -= 1) this.#write(back);
    // The rate of the next step is another one.
    if (!hasStepRate) this.#seen = changes;
  }

  /** Whether the persistent scalars after each of the last steps do not depend on the hyperparameters that were set. */
  #keepsPersistent(steps: number): boolean {
    if (this.#persistent.values.length === 0) return true;
    let areKept = true;
    for (let back = steps; back > 0 && areKept; back -= 1)
      this.#at(back, (t) => {
        areKept = this.#persistent.areKept(t);
      });
    return areKept;
  }

  /** Writes the scalars of the step that is this many before the next one. */
  #write(back: number): void {
    this.#at(back, (t) => {
      this.#persistent.take(t);
      this.#guard.writeScalars(t, this.#kinds.of(t));
    });
  }

  /** Computes the scalars of the step that is this many before the next one. */
  #at(back: number, use: (t: number) => void): void {
    const { iterations } = this.#clock;
    this.#counted.moveBack(back);
    try {
      if (back > 0) this.#persistent.goTo(iterations - back);
      for (const group of this.#groups) group.prepare();
      use(this.#clock.iterations + 1);
    } finally {
      this.#counted.moveBack(-back);
      if (back > 0) this.#persistent.goTo(iterations);
    }
  }
}
