import { median } from "@gradstep/apps-shared/median";
import type { Progress } from "./run.js";
import type { Stopwatch } from "./stopwatch.js";

/** Collects the losses of a training and computes its progress after each step. */
export class ProgressMeter {
  /** The loss of every step so far. */
  readonly losses: number[] = [];
  readonly #totalSteps: number;
  readonly #stopwatch: Stopwatch;
  readonly #optimizerTimes: readonly number[];
  #epoch = { number: 0, start: 0, firstStep: 0, digits: 0, loss: 0, accuracy: 0 };

  /**
   * @param totalSteps of all epochs.
   * @param stopwatch runs while the training does.
   * @param optimizerTimes seconds inside the optimizer, for every step so far; grows with the training.
   */
  constructor(totalSteps: number, stopwatch: Stopwatch, optimizerTimes: readonly number[]) {
    this.#totalSteps = totalSteps;
    this.#stopwatch = stopwatch;
    this.#optimizerTimes = optimizerTimes;
  }

  /** Seconds since the epoch started. */
  get epochSeconds(): number {
    return this.#stopwatch.seconds - this.#epoch.start;
  }

  /** Median seconds inside the optimizer per step of this epoch. */
  get optimizerSecondsPerStep(): number {
    return median(this.#optimizerTimes.slice(this.#epoch.firstStep));
  }

  startEpoch(number: number): void {
    const start = this.#stopwatch.seconds;
    const firstStep = this.losses.length;
    this.#epoch = { number, start, firstStep, digits: 0, loss: 0, accuracy: 0 };
  }

  /** Adds a step over that many digits. `loss` and `accuracy` are means over them. */
  add(digits: number, loss: number, accuracy: number): Progress {
    this.losses.push(loss);
    const epoch = this.#epoch;
    epoch.digits += digits;
    epoch.loss += (loss - epoch.loss) * (digits / epoch.digits);
    epoch.accuracy += (accuracy - epoch.accuracy) * (digits / epoch.digits);
    const done = this.losses.length;
    const step = done - epoch.firstStep;
    return {
      epoch: epoch.number,
      step,
      loss: epoch.loss,
      accuracy: epoch.accuracy,
      stepsPerSecond: step / this.epochSeconds,
      secondsLeft: (this.#stopwatch.seconds / done) * (this.#totalSteps - done),
      optimizerSecondsPerStep: this.optimizerSecondsPerStep,
    };
  }
}
