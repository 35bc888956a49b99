import type { Evaluation } from "./evaluation.js";

/** How to train. */
export interface TrainingSettings {
  readonly epochs: number;
  /** Digits per step. */
  readonly batchSize: number;
  /** The learning rate of the first step; see `rateAt`. */
  readonly learningRate: number;
  /** Determines the initial weights, the order of the digits and how they are shifted. */
  readonly seed: number;
}

export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy of its steps, in nats. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly steps: number;
  /** Training and validation together. */
  readonly seconds: number;
  /** Median time inside the optimizer, per step. */
  readonly optimizerSecondsPerStep: number;
}

/** The state of a training after a step. Means and medians are over the epoch so far. */
export interface Progress {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly stepsPerSecond: number;
  /** Until the last epoch ends. */
  readonly secondsLeft: number;
  /** Median time inside the optimizer, per step. */
  readonly optimizerSecondsPerStep: number;
}

/** Receives the events of a training. Must not throw. */
export interface Observer {
  onStart?(stepsPerEpoch: number): void;
  onStep?(progress: Progress): void;
  onEpoch?(epoch: Epoch): void;
}

export interface Run {
  /** Completed epochs. */
  readonly history: readonly Epoch[];
  /** The loss of every step. */
  readonly stepLosses: readonly number[];
  /** Seconds inside the optimizer, for every step. */
  readonly optimizerTimes: readonly number[];
  readonly stepsPerEpoch: number;
  /** The final network on the held-out digits. */
  readonly evaluation: Evaluation;
  /** Training and validation. */
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** The part of a training's time that passed inside the optimizer, 0 to 1; NaN if it made no step. */
export function optimizerFraction(run: Run): number {
  return run.stepLosses.length === 0 ? Number.NaN : optimizerSeconds(run) / run.seconds;
}

/** Seconds inside the optimizer, all steps together. */
export function optimizerSeconds({ optimizerTimes }: Run): number {
  return optimizerTimes.reduce((sum, time) => sum + time, 0);
}
