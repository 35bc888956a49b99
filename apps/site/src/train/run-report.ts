import type { Epoch } from "@gradstep/digits";
import type { HyperparameterChange } from "./live-hyperparameters.js";

/** What happened in a run since the report before. */
export interface RunReport {
  /** Batches before the first of this report. */
  readonly firstBatch: number;
  /** The loss of each batch. */
  readonly losses: Float64Array;
  /** The learning rate of each batch. */
  readonly learningRates: Float64Array;
  /** All completed epochs. */
  readonly history: readonly Epoch[];
  /** All changes of hyperparameters. */
  readonly changes: readonly HyperparameterChange[];
  /** Seconds of training and evaluation, without pauses. */
  readonly seconds: number;
}

/** The part of a training from which reports are made. `ProgressMeter` and its state have it. */
export interface Progress {
  readonly losses: ArrayLike<number>;
  readonly learningRates: ArrayLike<number>;
  readonly history: readonly Epoch[];
  readonly seconds: number;
}

/** The report of all batches from this one on. */
export function reportFrom(
  firstBatch: number,
  { losses, learningRates, history, seconds }: Progress,
  changes: readonly HyperparameterChange[],
): RunReport {
  return {
    firstBatch,
    losses: Float64Array.from(losses).subarray(firstBatch).slice(),
    learningRates: Float64Array.from(learningRates)
      .subarray(firstBatch)
      .slice(0, losses.length - firstBatch),
    history: [...history],
    changes: [...changes],
    seconds,
  };
}
