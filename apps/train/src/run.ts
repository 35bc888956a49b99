import type { Evaluation } from "./evaluation.js";

/** How to train. */
export interface Plan {
  readonly epochs: number;
  /** Digits in a step. */
  readonly batchSize: number;
  /** The learning rate of the first step; see `rateAt`. */
  readonly learningRate: number;
  /** Decides the first weights, the order of the digits and how they are moved. */
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
}

/** Where the training is, after a step. The means are over the epoch so far. */
export interface Progress {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly stepsPerSecond: number;
  /** Until the last epoch ends. */
  readonly secondsLeft: number;
}

/** Is told how the training goes; must not throw. */
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
  readonly stepsPerEpoch: number;
  /** The network as it was at the end, on the held-out digits. */
  readonly evaluation: Evaluation;
  readonly seconds: number;
  /** The part of `seconds` that passed inside the optimizer. */
  readonly optimizerSeconds: number;
  readonly interrupted: boolean;
}
