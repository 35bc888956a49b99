import type { Progress } from "./run.js";

/** Keeps the losses of a training and works out, after each step, where it is. */
export class Meter {
  /** The loss of every step so far. */
  readonly losses: number[] = [];
  readonly #steps: number;
  readonly #start: number = performance.now();
  #epoch = { number: 0, start: this.#start, steps: 0, digits: 0, loss: 0, accuracy: 0 };

  /** For a training of so many steps that starts now. */
  constructor(steps: number) {
    this.#steps = steps;
  }

  /** Seconds since the training started. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Seconds since the epoch started. */
  get epochSeconds(): number {
    return (performance.now() - this.#epoch.start) / 1000;
  }

  startEpoch(number: number): void {
    this.#epoch = { number, start: performance.now(), steps: 0, digits: 0, loss: 0, accuracy: 0 };
  }

  /** Counts a step over so many digits; its loss and accuracy are means over them. */
  add(digits: number, loss: number, accuracy: number): Progress {
    this.losses.push(loss);
    const epoch = this.#epoch;
    epoch.steps++;
    epoch.digits += digits;
    epoch.loss += (loss - epoch.loss) * (digits / epoch.digits);
    epoch.accuracy += (accuracy - epoch.accuracy) * (digits / epoch.digits);
    const taken = this.losses.length;
    return {
      epoch: epoch.number,
      step: epoch.steps,
      loss: epoch.loss,
      accuracy: epoch.accuracy,
      stepsPerSecond: epoch.steps / this.epochSeconds,
      secondsLeft: (this.seconds / taken) * (this.#steps - taken),
    };
  }
}
