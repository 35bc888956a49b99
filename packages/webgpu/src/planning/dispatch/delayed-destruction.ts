/** How many steps on the same parameters the caller may have encoded and not yet submitted. */
export const maxUnsubmittedSteps = 256;

/** What holds memory of a device. */
export interface Destructible {
  destroy(): void;
}

/**
 * Destroys what recorded steps use once they must have been submitted: after `maxUnsubmittedSteps` further steps. The
 * device keeps destroyed memory until submitted work has finished; it refuses to submit work with destroyed memory.
 */
export class DelayedDestruction<T extends Destructible> {
  #steps = 0;
  readonly #waiting: { readonly one: T; readonly until: number }[] = [];

  /** Counts a step that is recorded. */
  countStep(): void {
    this.#steps += 1;
    while (this.#waiting.length > 0 && this.#waiting[0].until <= this.#steps)
      this.#waiting.shift()!.one.destroy();
  }

  /** Destroys one, at once if no step was recorded. */
  destroyLater(one: T): void {
    if (this.#steps === 0) one.destroy();
    else this.#waiting.push({ one, until: this.#steps + maxUnsubmittedSteps });
  }

  /** Takes what waits, which the caller destroys. */
  takeAll(): readonly T[] {
    return this.#waiting.splice(0).map(({ one }) => one);
  }
}
