/** Batches by which each way is judged: by the middle one, so that an interruption does not count. */
const sampleLength = 5;
/** Batches on one thread before several are tried again: doubled each time that they lose. */
const firstPause = 64;
const longestPause = 2048;
/** Of this many batches on several threads one is run on a single thread, to know what that takes now. */
const interval = 64;

/** The last few durations. */
class Sample {
  readonly #values = new Float64Array(sampleLength);
  readonly #sorted = new Float64Array(sampleLength);
  #count = 0;

  get isFull(): boolean {
    return this.#count >= sampleLength;
  }

  get median(): number {
    this.#sorted.set(this.#values);
    this.#sorted.sort();
    return this.#sorted[sampleLength >> 1];
  }

  add(value: number): void {
    this.#values[this.#count % sampleLength] = value;
    this.#count += 1;
  }

  clear(): void {
    this.#count = 0;
  }
}

/**
 * Chooses between one thread and several by what they took: several are slower where the cores are busy with something
 * else, and nothing but the clock says so. The way that lost is tried again now and then.
 */
export class Pace {
  readonly #alone = new Sample();
  readonly #several = new Sample();
  #pause = firstPause;
  #left = 0;
  #since = 0;

  /** Whether the next batch goes to all threads. */
  choose(): boolean {
    if (!this.#alone.isFull) return false;
    if (!this.#several.isFull) return true;
    if (this.#several.median < this.#alone.median) {
      this.#since = (this.#since + 1) % interval;
      return this.#since !== 0;
    }
    this.#left -= 1;
    if (this.#left > 0) return false;
    this.#several.clear();
    return true;
  }

  /** Says what the batch took, for each of its elements. */
  record(isShared: boolean, milliseconds: number): void {
    if (!isShared) {
      this.#alone.add(milliseconds);
      return;
    }
    this.#several.add(milliseconds);
    if (!this.#several.isFull) return;
    if (this.#several.median < this.#alone.median) {
      this.#pause = firstPause;
    } else if (this.#left <= 0) {
      this.#left = this.#pause;
      this.#pause = Math.min(2 * this.#pause, longestPause);
    }
  }
}
