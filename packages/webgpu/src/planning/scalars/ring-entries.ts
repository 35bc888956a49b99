/** What the host writes for a step. */
export interface StepValues {
  /** Bytes from the values of a step to those of the next: a valid dynamic offset. */
  readonly entryLength: number;
  /** Bytes that a binding may reach beyond an entry. */
  readonly overhang: number;
  /** The current values, in memory that the next call reuses. */
  words(): Uint32Array<ArrayBuffer>;
  /** The values of a later step in the same memory; undefined if they are not known. */
  upcomingWords?(steps: number): Uint32Array<ArrayBuffer> | undefined;
}

/** What the last write of scalars put into consecutive entries: those of a step and of the steps that follow it. */
export class RingEntries {
  /** The contents of the entries. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Words per entry. */
  readonly #stride: number;
  #first = 0;
  #count = 0;
  /** The entry of the last step, from the first on. */
  #index = 0;
  /** How many steps have used the entry of the one before them, less the entries that were skipped. */
  #stayed = 0;
  /** Words that are used in each entry. */
  #length = 0;

  /** @param entryLength bytes per entry */
  constructor(maxCount: number, entryLength: number) {
    this.#stride = entryLength / 4;
    this.words = new Uint32Array(this.#stride * maxCount);
  }

  /** The entry of the last step. */
  get current(): number {
    return this.#first + this.#index;
  }

  /** Stays in the entry of the last step if the next one has the same scalars. @returns whether it has */
  stay(words: Uint32Array): boolean {
    if (!this.#isAt(this.#index, words)) return false;
    this.#stayed += 1;
    return true;
  }

  /**
   * Goes on to the entry with the scalars of a step. It skips no more entries than there were steps that stayed in one, so
   * that as many steps as there are entries keep theirs.
   * @returns by how many entries; 0 if none of them has these scalars
   */
  advance(words: Uint32Array): number {
    const end = Math.min(this.#count, this.#index + 2 + this.#stayed);
    for (let index = this.#index + 1; index < end; index += 1) {
      if (!this.#isAt(index, words)) continue;
      const entries = index - this.#index;
      this.#index = index;
      this.#stayed -= entries - 1;
      return entries;
    }
    return 0;
  }

  /**
   * Replaces the contents by the scalars of a step, and of those that follow it as far as they are known.
   * @param first the entry of the step
   * @returns the number of words to write
   */
  fill(first: number, step: StepValues, maxCount: number): number {
    const words = step.words();
    this.words.set(words);
    this.#first = first;
    this.#index = 0;
    this.#stayed = 0;
    this.#length = words.length;
    for (this.#count = 1; this.#count < maxCount; this.#count += 1) {
      const upcoming = step.upcomingWords?.(this.#count);
      if (upcoming === undefined) break;
      this.words.set(upcoming, this.#stride * this.#count);
    }
    return this.#stride * (this.#count - 1) + this.#length;
  }

  #isAt(index: number, words: Uint32Array): boolean {
    if (index >= this.#count || words.length !== this.#length) return false;
    const start = this.#stride * index;
    for (let i = 0; i < words.length; i += 1) if (this.words[start + i] !== words[i]) return false;
    return true;
  }
}
