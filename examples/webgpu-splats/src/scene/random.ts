/** A seeded random number generator (linear congruential). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  /** An integer, 0 ≤ n < end. */
  below(end: number): number {
    return Math.floor(this.unit() * end);
  }
}
