import { count } from "@gradstep/apps-shared/format";
import type { Evaluation } from "./evaluation.js";

/** How to train. */
export interface TrainingSettings {
  readonly epochs: number;
  /** Digits per batch. */
  readonly batchSize: number;
  /** Determines the initial weights, the order of the digits and how they are shifted. */
  readonly seed: number;
}

export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy of its batches, in nats. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly batches: number;
  /** That of its last batch. */
  readonly learningRate: number;
  /** Training and validation together. */
  readonly seconds: number;
  /** Median time inside the optimizer, per batch. */
  readonly optimizerSecondsPerBatch: number;
}

/** The state of a training after a batch. Means and medians are over the epoch so far. */
export interface Progress {
  readonly epoch: number;
  /** From 1, in the epoch. */
  readonly batch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly batchesPerSecond: number;
  /** Until the last epoch ends. */
  readonly secondsLeft: number;
  /** Median time inside the optimizer, per batch. */
  readonly optimizerSecondsPerBatch: number;
}

/** Where a training goes on. */
export interface ResumePoint {
  /** The epoch of the last batch, from 1. */
  readonly epoch: number;
  /** The last batch, from 1 in the epoch; 0 if there was none. */
  readonly batch: number;
  /** Steps of the optimizer so far. */
  readonly steps: number;
  /** Checkpoints that were newer and could not be read. */
  readonly damaged: readonly string[];
}

/** Receives the events of a training. Must not throw. */
export interface Observer {
  onStart?(batchesPerEpoch: number): void;
  /** With `undefined` if there was no checkpoint. */
  onResume?(from: ResumePoint | undefined): void;
  onBatch?(progress: Progress): void;
  onEpoch?(epoch: Epoch): void;
}

export interface Run {
  /** Completed epochs. */
  readonly history: readonly Epoch[];
  /** The loss of every batch. */
  readonly batchLosses: readonly number[];
  /** The learning rate of every batch: that of the step which it is part of. */
  readonly learningRates: readonly number[];
  /** Steps of the optimizer: as many as batches, unless gradients are accumulated or steps skipped. */
  readonly steps: number;
  /** Steps that were left out because of gradients that were not finite. */
  readonly skippedSteps: number;
  /** Seconds inside the optimizer, for every batch. */
  readonly optimizerTimes: readonly number[];
  readonly batchesPerEpoch: number;
  /** The final network on the held-out digits. */
  readonly evaluation: Evaluation;
  /** Training and validation. */
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** "1,000 batches", with the number of steps where it differs. */
export function batchCount({ batchLosses, steps, skippedSteps }: Run): string {
  const batches = count(batchLosses.length, "batch", "batches");
  if (steps === batchLosses.length) return batches;
  const skipped = skippedSteps > 0 ? `, ${count(skippedSteps)} skipped` : "";
  return `${batches} (${count(steps, "step")}${skipped})`;
}

/** The part of a training's time that passed inside the optimizer, 0 to 1; NaN if there was no batch. */
export function optimizerFraction(run: Run): number {
  return run.batchLosses.length === 0 ? Number.NaN : optimizerSeconds(run) / run.seconds;
}

/** Seconds inside the optimizer, all batches together. */
export function optimizerSeconds({ optimizerTimes }: Run): number {
  return optimizerTimes.reduce((sum, time) => sum + time, 0);
}
