import { median } from "@gradstep/apps-shared/median";
import type { Progress } from "./run.js";
import type { Stopwatch } from "./stopwatch.js";

/** Collects the losses of a training and computes its progress after each batch. */
export class ProgressMeter {
  /** The loss of every batch so far. */
  readonly losses: number[] = [];
  readonly #totalBatches: number;
  readonly #stopwatch: Stopwatch;
  readonly #optimizerTimes: readonly number[];
  #epoch = { number: 0, start: 0, firstBatch: 0, digits: 0, loss: 0, accuracy: 0 };

  /**
   * @param totalBatches of all epochs.
   * @param stopwatch runs while the training does.
   * @param optimizerTimes seconds inside the optimizer, for every batch so far; grows with the training.
   */
  constructor(totalBatches: number, stopwatch: Stopwatch, optimizerTimes: readonly number[]) {
    this.#totalBatches = totalBatches;
    this.#stopwatch = stopwatch;
    this.#optimizerTimes = optimizerTimes;
  }

  /** Seconds since the epoch started. */
  get epochSeconds(): number {
    return this.#stopwatch.seconds - this.#epoch.start;
  }

  /** Median seconds inside the optimizer per batch of this epoch. */
  get optimizerSecondsPerBatch(): number {
    return median(this.#optimizerTimes.slice(this.#epoch.firstBatch));
  }

  /** The mean loss of the digits of this epoch. */
  get epochLoss(): number {
    return this.#epoch.loss;
  }

  /** The mean accuracy of the digits of this epoch. */
  get epochAccuracy(): number {
    return this.#epoch.accuracy;
  }

  startEpoch(number: number): void {
    const start = this.#stopwatch.seconds;
    const firstBatch = this.losses.length;
    this.#epoch = { number, start, firstBatch, digits: 0, loss: 0, accuracy: 0 };
  }

  /** Adds a batch of that many digits. `loss` and `accuracy` are means over them. */
  add(digits: number, loss: number, accuracy: number): Progress {
    this.losses.push(loss);
    const epoch = this.#epoch;
    epoch.digits += digits;
    epoch.loss += (loss - epoch.loss) * (digits / epoch.digits);
    epoch.accuracy += (accuracy - epoch.accuracy) * (digits / epoch.digits);
    const done = this.losses.length;
    const batch = done - epoch.firstBatch;
    return {
      epoch: epoch.number,
      batch,
      loss: epoch.loss,
      accuracy: epoch.accuracy,
      batchesPerSecond: batch / this.epochSeconds,
      secondsLeft: (this.#stopwatch.seconds / done) * (this.#totalBatches - done),
      optimizerSecondsPerBatch: this.optimizerSecondsPerBatch,
    };
  }
}
