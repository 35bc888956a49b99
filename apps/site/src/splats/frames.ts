/** A frame that comes later than this, in milliseconds, has waited for the training. */
const late = 50;
/** Frames that do not come for this long, in milliseconds, are not awaited: nothing shows the canvases. */
const absent = 200;
/** Milliseconds that a batch may take, so that pictures and messages come often enough. */
const longest = 30;
const shortest = 4;

/** What frames are asked of. In Node, nothing is shown. */
export interface FrameClock {
  readonly request: (callback: () => void) => unknown;
  readonly now: () => number;
}

const clockOfWorker: FrameClock = {
  // A browser's function wants no other object as `this`.
  request: (callback) => (globalThis.requestAnimationFrame ?? globalThis.setTimeout)(callback),
  now: () => performance.now(),
};

/**
 * The frames that canvases show. A GPU that trains may also draw the page, most of all one in software: if frames come
 * late, batches become shorter and leave it turns.
 */
export class Frames {
  readonly #clock: FrameClock;
  #asked = 0;
  /** The frame that has been asked for. */
  #next: Promise<void> | undefined;
  #come = true;
  #batchMilliseconds = longest;

  constructor(clock = clockOfWorker) {
    this.#clock = clock;
  }

  /** Milliseconds that the next batch may take. */
  get batchMilliseconds(): number {
    return this.#batchMilliseconds;
  }

  /** Whether the frame that was asked for last has come. */
  get canShow(): boolean {
    return this.#next === undefined;
  }

  /** Whether a frame is overdue, and comes at all. */
  get isLate(): boolean {
    return this.#come && this.#next !== undefined && this.#clock.now() - this.#asked > late;
  }

  ask(): void {
    this.#asked = this.#clock.now();
    this.#next = new Promise((resolve) => {
      this.#clock.request(() => {
        this.#next = undefined;
        this.#come = true;
        this.#adapt(this.#clock.now() - this.#asked);
        resolve();
      });
    });
  }

  /** Waits for the frame that was asked for. */
  async wait(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#come = this.#next === undefined;
        resolve();
      }, absent);
    });
    await Promise.race([this.#next, end]);
    clearTimeout(timer);
  }

  #adapt(delay: number): void {
    const factor = delay > late ? 0.5 : 1.25;
    this.#batchMilliseconds = Math.max(
      shortest,
      Math.min(longest, factor * this.#batchMilliseconds),
    );
  }
}
