/**
 * Random numbers from a seed: the same on every platform (32-bit integer arithmetic only). Based on a Weyl sequence
 * through the finalizer of MurmurHash3.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** A separate generator per label and index, so that cases do not depend on each other. */
  static of(seed: number, label: string, index = 0): Random {
    let hash = (seed ^ 0x811c9dc5) >>> 0;
    for (const character of `${label}#${index}`)
      hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
    return new Random(hash);
  }

  /** An integer, 0 ≤ n < 2³². */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    return this.bits() / 2 ** 32;
  }

  /** min ≤ x < max. */
  between(min: number, max: number): number {
    return min + (max - min) * this.unit();
  }

  /** An integer, min ≤ n ≤ max. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.unit() * values.length)];
  }

  /** `count` different values. */
  sample<T>(values: readonly T[], count: number): T[] {
    const left = [...values];
    return Array.from({ length: count }, () => left.splice(this.integer(0, left.length - 1), 1)[0]);
  }

  /** ±10^x with min ≤ x < max: all magnitudes are equally likely. */
  magnitude(min: number, max: number): number {
    return (this.chance(0.5) ? 1 : -1) * 10 ** this.between(min, max);
  }
}
