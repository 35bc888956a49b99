import type { Group } from "../groups/group.js";

/**
 * The persistent scalars of all groups in one array, for a device that decides which steps are skipped: the host computes
 * them as if every step were taken, and goes back to those of a step when it hears that later ones were not.
 */
export class PersistentScalars {
  /** Those after the step whose scalars were computed last. */
  readonly values: Float64Array;
  readonly #groups: readonly Group[];
  readonly #starts: readonly number[];
  /** Those after the last steps, by their number. */
  readonly #history: Float64Array;
  readonly #keptSteps: number;

  /** @param keptSteps how many steps are remembered */
  constructor(groups: readonly Group[], keptSteps: number) {
    const starts: number[] = [];
    let length = 0;
    for (const { scalars } of groups) {
      starts.push(length);
      length += scalars.persistentCount;
    }
    this.values = new Float64Array(length);
    this.#groups = groups;
    this.#starts = starts;
    this.#history = new Float64Array(length * keptSteps);
    this.#keptSteps = keptSteps;
  }

  /** Takes those after step `t`, whose scalars the groups have computed. */
  take(t: number): void {
    if (this.values.length === 0) return;
    this.#takeNext(t);
    this.#history.set(this.values, this.#start(t));
  }

  /** Whether those after step `t`, one of the last steps, are still the same. */
  areKept(t: number): boolean {
    this.#takeNext(t);
    const start = this.#start(t);
    return this.values.every((value, i) => Object.is(value, this.#history[start + i]));
  }

  #takeNext(t: number): void {
    const { values } = this;
    for (let i = 0; i < this.#groups.length; i += 1) {
      const group = this.#groups[i];
      if (group.isDue(t)) group.scalars.copyNext(values, this.#starts[i]);
      else group.scalars.copyPersistent(values, this.#starts[i]);
    }
  }

  /** Takes the current ones of the groups, which are those after step `t`. */
  takeCurrent(t: number): void {
    this.#groups.forEach(({ scalars }, i) => scalars.copyPersistent(this.values, this.#starts[i]));
    this.#history.set(this.values, this.#start(t));
  }

  /** Gives the groups those after step `t`, one of the last steps. */
  goTo(t: number): void {
    this.give(this.after(t));
  }

  /** Those after step `t`, one of the last steps. Valid as long as they are remembered. */
  after(t: number): Float64Array {
    const start = this.#start(t);
    return this.#history.subarray(start, start + this.values.length);
  }

  /** Gives the groups these values. */
  give(values: Float64Array): void {
    this.#groups.forEach(({ scalars }, i) => scalars.setPersistent(values, this.#starts[i]));
  }

  /** Those of a group, by name. */
  named(index: number, values: Float64Array): Record<string, number> {
    const names = Object.keys(this.#groups[index].context.variant.persistentScalars);
    return Object.fromEntries(names.map((name, i) => [name, values[this.#starts[index] + i]]));
  }

  #start(t: number): number {
    return (t % this.#keptSteps) * this.values.length;
  }
}
