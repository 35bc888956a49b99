/** Batches by which each way is judged: by the middle one, so that an interruption does not count. */
const sampleLength = 5;
/** Batches on one thread before several are tried again: doubled each time that they lose. */
const firstPause = 64;
const longestPause = 2048;
/** Of this many batches on several threads one is run on a single thread, to know what that takes now. */
const interval = 64;

/** Several threads are taken where they need less than this share of the time: otherwise it is soon the other way round. */
const worthwhile = 0.9;

/**
 * A trial of several threads ends with a batch that takes so many times as long as on a single one, and so many
 * milliseconds for waking them: a core is busy.
 */
const hopeless = 2;
const wakeUp = 0.1;

/** Once it is known which is faster, one batch of this many is timed: engines allocate the number that a clock gives. */
const timedInterval = 8;

/** The last few durations. Numbers stay in typed arrays, where they are not boxed. */
class Sample {
  readonly #values = new Float64Array(sampleLength);
  readonly #sorted = new Float64Array(sampleLength);
  #count = 0;

  get isFull(): boolean {
    return this.#count >= sampleLength;
  }

  /** Adds what has passed since `clock[0]`, for each of so many elements. */
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

  /** Whether the middle one is less than this share of the other's. */
  isBelow(other: Sample, share: number): boolean {
    return this.#sorted[sampleLength >> 1] < share * other.#sorted[sampleLength >> 1];
  }

  /** Whether the last one is above so many times the other's middle one, and something. */
  isFarAbove(other: Sample, times: number, more: number): boolean {
    const last = this.#values[(this.#count - 1) % sampleLength];
    return last > times * other.#sorted[sampleLength >> 1] + more;
  }

  /** Takes the last one for all. */
  settle(): void {
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
 * Chooses between one thread and several by what they took: several are slower where the cores are busy with something
 * else, and nothing but the clock says so. The way that lost is tried again now and then.
 */
export class Pace {
  readonly #alone = new Sample();
  readonly #several = new Sample();
  readonly #clock = new Float64Array(1);
  #pause = firstPause;
  #left = 0;
  #since = 0;
  #isTimed = true;

  /** Whether the batch that begins now goes to all threads. */
  begin(): boolean {
    const isShared = this.#choose();
    this.#since += 1;
    const isKnown = this.#alone.isFull && this.#several.isFull;
    const isTried = isKnown && isShared !== this.#isFaster;
    this.#isTimed = !isKnown || isTried || this.#since % timedInterval === 0;
    if (this.#isTimed) this.#clock[0] = performance.now();
    return isShared;
  }

  /** Says that it is over. */
  end(isShared: boolean, elements: number): void {
    if (!this.#isTimed) return;
    if (!isShared) {
      this.#alone.add(this.#clock, elements);
      return;
    }
    this.#several.add(this.#clock, elements);
    if (!this.#several.isFull) {
      if (!this.#several.isFarAbove(this.#alone, hopeless, wakeUp / elements)) return;
      this.#several.settle();
    }
    if (this.#isFaster) {
      this.#pause = firstPause;
    } else if (this.#left <= 0) {
      this.#left = this.#pause;
      this.#pause = Math.min(2 * this.#pause, longestPause);
    }
  }

  /** Whether several threads are, by what is known. */
  get #isFaster(): boolean {
    return this.#several.isBelow(this.#alone, worthwhile);
  }

  #choose(): boolean {
    if (!this.#alone.isFull) return false;
    if (!this.#several.isFull) return true;
    if (this.#isFaster) return this.#since % interval !== 0;
    this.#left -= 1;
    if (this.#left > 0) return false;
    this.#several.clear();
    return true;
  }
}
