/** Batches per sample. A sample is judged by its median, so that an interruption does not count. */
const sampleLength = 5;
/** Batches on one thread before all threads are tried again. Doubled each time that they are slower. */
const initialBackoff = 64;
const maxBackoff = 2048;
/** Of this many batches on all threads, one runs on one thread, to measure what that takes now. */
const reprobeInterval = 64;

/** All threads are used if they need less than this fraction of the time of one. A hysteresis: times fluctuate. */
const requiredRatio = 0.9;

/**
 * A trial of all threads ends early with a batch that takes `abortRatio` times as long as on one thread plus `wakeCost`
 * milliseconds, the time to wake the workers: a core is busy.
 */
const abortRatio = 2;
const wakeCost = 0.1;

/** Once both times are known, one batch of this many is timed: engines allocate the number that a clock returns. */
const timedInterval = 8;

/** The last few durations per element. In typed arrays, so that numbers are not boxed. */
class Sample {
  readonly #values = new Float64Array(sampleLength);
  readonly #sorted = new Float64Array(sampleLength);
  #count = 0;

  get isFull(): boolean {
    return this.#count >= sampleLength;
  }

  /** Adds the time since `clock[0]`, divided by the number of elements. */
  add(clock: Float64Array, elements: number): void {
    this.#values[this.#count % sampleLength] = (performance.now() - clock[0]) / elements;
    this.#count += 1;
    const sorted = this.#sorted;
    sorted.set(this.#values);
    for (let i = 1; i < sampleLength; i += 1) {
      for (let j = i; j > 0 && sorted[j - 1] > sorted[j]; j -= 1) {
        const lower = sorted[j];
        sorted[j] = sorted[j - 1];
        sorted[j - 1] = lower;
      }
    }
  }

  /** Whether the median is less than `ratio` times the other's. */
  isBelow(other: Sample, ratio: number): boolean {
    return this.#sorted[sampleLength >> 1] < ratio * other.#sorted[sampleLength >> 1];
  }

  /** Whether the last duration is above `ratio` times the other's median plus `constant`. */
  isFarAbove(other: Sample, ratio: number, constant: number): boolean {
    const last = this.#values[(this.#count - 1) % sampleLength];
    return last > ratio * other.#sorted[sampleLength >> 1] + constant;
  }

  /** Completes the sample with copies of the last duration. */
  fillWithLast(): void {
    const last = this.#values[(this.#count - 1) % sampleLength];
    this.#values.fill(last);
    this.#sorted.fill(last);
    this.#count = sampleLength;
  }

  clear(): void {
    this.#count = 0;
  }
}

/**
 * Chooses between one thread and all threads by measured time: if other work keeps the cores busy, all threads are
 * slower, and only a clock shows it. The slower choice is tried again from time to time.
 */
export class ThreadCountTuner {
  readonly #single = new Sample();
  readonly #parallel = new Sample();
  readonly #clock = new Float64Array(1);
  #backoff = initialBackoff;
  #remainingBackoff = 0;
  #batches = 0;
  #isTimed = true;

  /** Starts a batch. @returns whether to run it on all threads */
  begin(): boolean {
    const isParallel = this.#choose();
    this.#batches += 1;
    const isKnown = this.#single.isFull && this.#parallel.isFull;
    const isProbe = isKnown && isParallel !== this.#isParallelFaster;
    this.#isTimed = !isKnown || isProbe || this.#batches % timedInterval === 0;
    if (this.#isTimed) this.#clock[0] = performance.now();
    return isParallel;
  }

  /** Ends the batch. */
  end(isParallel: boolean, elements: number): void {
    if (!this.#isTimed) return;
    if (!isParallel) {
      this.#single.add(this.#clock, elements);
      return;
    }
    this.#parallel.add(this.#clock, elements);
    if (!this.#parallel.isFull) {
      if (!this.#parallel.isFarAbove(this.#single, abortRatio, wakeCost / elements)) return;
      this.#parallel.fillWithLast();
    }
    if (this.#isParallelFaster) {
      this.#backoff = initialBackoff;
    } else if (this.#remainingBackoff <= 0) {
      this.#remainingBackoff = this.#backoff;
      this.#backoff = Math.min(2 * this.#backoff, maxBackoff);
    }
  }

  get #isParallelFaster(): boolean {
    return this.#parallel.isBelow(this.#single, requiredRatio);
  }

  #choose(): boolean {
    if (!this.#single.isFull) return false;
    if (!this.#parallel.isFull) return true;
    if (this.#isParallelFaster) return this.#batches % reprobeInterval !== 0;
    this.#remainingBackoff -= 1;
    if (this.#remainingBackoff > 0) return false;
    this.#parallel.clear();
    return true;
  }
}
