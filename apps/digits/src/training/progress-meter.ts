import { median } from "@gradstep/apps-shared/median";
import type { Epoch, Progress } from "./run.js";
import { Stopwatch } from "./stopwatch.js";

/** What happened in a training so far. */
export interface ProgressState {
  /** Completed epochs. */
  readonly history: readonly Epoch[];
  readonly losses: Float64Array;
  readonly learningRates: Float64Array;
  readonly optimizerTimes: Float64Array;
  readonly seconds: number;
  readonly epoch: CurrentEpoch;
}

interface CurrentEpoch {
  /** From 1; 0 before the first. */
  readonly number: number;
  /** Seconds of the training when it started. */
  readonly start: number;
  /** Batches of the training when it started. */
  readonly firstBatch: number;
  readonly digits: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Collects what happens in a training, and computes its progress after each batch. */
export class ProgressMeter {
  readonly history: Epoch[] = [];
  /** The loss of every batch so far. */
  readonly losses: number[] = [];
  /** The learning rate of every batch so far. */
  readonly learningRates: number[] = [];
  /** Seconds inside the optimizer, for every batch so far. */
  readonly optimizerTimes: number[];
  readonly stopwatch = new Stopwatch();
  readonly #totalBatches: number;
  #epoch: CurrentEpoch = { number: 0, start: 0, firstBatch: 0, digits: 0, loss: 0, accuracy: 0 };

  /**
   * @param totalBatches of all epochs.
   * @param optimizerTimes to which the optimizer's times are added.
   */
  constructor(totalBatches: number, optimizerTimes: number[]) {
    this.#totalBatches = totalBatches;
    this.optimizerTimes = optimizerTimes;
  }

  /** The current epoch, or the last one between two epochs; from 1. */
  get epoch(): number {
    return Math.max(1, this.#epoch.number);
  }

  /** Batches of this epoch so far. */
  get epochBatches(): number {
    return this.losses.length - this.#epoch.firstBatch;
  }

  /** Whether an epoch has been started and is not in the history. */
  get isInEpoch(): boolean {
    return this.#epoch.number > this.history.length;
  }

  startEpoch(): void {
    const number = this.history.length + 1;
    const start = this.stopwatch.seconds;
    const firstBatch = this.losses.length;
    this.#epoch = { number, start, firstBatch, digits: 0, loss: 0, accuracy: 0 };
  }

  /** Adds a batch of that many digits. `loss` and `accuracy` are means over them. */
  add(digits: number, loss: number, accuracy: number): Progress {
    this.losses.push(loss);
    const before = this.#epoch;
    const all = before.digits + digits;
    const epoch = {
      ...before,
      digits: all,
      loss: before.loss + (loss - before.loss) * (digits / all),
      accuracy: before.accuracy + (accuracy - before.accuracy) * (digits / all),
    };
    this.#epoch = epoch;
    const done = this.losses.length;
    const { seconds } = this.stopwatch;
    return {
      epoch: epoch.number,
      batch: this.epochBatches,
      loss: epoch.loss,
      accuracy: epoch.accuracy,
      batchesPerSecond: this.epochBatches / (seconds - epoch.start),
      secondsLeft: (seconds / done) * (this.#totalBatches - done),
      optimizerSecondsPerBatch: this.#optimizerSecondsPerBatch,
    };
  }

  /** Adds the current epoch to the history. */
  endEpoch(validationLoss: number, validationAccuracy: number): Epoch {
    const { number, start, loss, accuracy } = this.#epoch;
    const completed: Epoch = {
      epoch: number,
      loss,
      accuracy,
      validationLoss,
      validationAccuracy,
      batches: this.epochBatches,
      learningRate: this.learningRates.at(-1)!,
      seconds: this.stopwatch.seconds - start,
      optimizerSecondsPerBatch: this.#optimizerSecondsPerBatch,
    };
    this.history.push(completed);
    return completed;
  }

  state(): ProgressState {
    return {
      history: [...this.history],
      losses: Float64Array.from(this.losses),
      learningRates: Float64Array.from(this.learningRates),
      optimizerTimes: Float64Array.from(this.optimizerTimes),
      seconds: this.stopwatch.seconds,
      epoch: this.#epoch,
    };
  }

  restore({ history, seconds, epoch, ...lists }: ProgressState): void {
    this.history.splice(0, Infinity, ...history);
    for (const name of ["losses", "learningRates", "optimizerTimes"] as const) {
      this[name].length = 0;
      // One by one: a long list is too many arguments for a call.
      for (const value of lists[name]) this[name].push(value);
    }
    this.stopwatch.setTo(seconds);
    this.#epoch = epoch;
  }

  /** Median seconds inside the optimizer per batch of this epoch. */
  get #optimizerSecondsPerBatch(): number {
    return median(this.optimizerTimes.slice(this.#epoch.firstBatch));
  }
}
