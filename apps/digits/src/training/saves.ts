import type { Sequential } from "@tensorflow/tfjs-layers";
import type { TrainingDigits } from "../data/training-digits.js";
import type { ProgressMeter } from "./progress-meter.js";
import type { Observer } from "./run.js";

/** What a training consists of, apart from its optimizer. */
export interface TrainingParts {
  readonly network: Sequential;
  readonly digits: TrainingDigits;
  readonly progress: ProgressMeter;
}

/** Saves a training, and resumes it. */
export interface TrainingSaves {
  /** Resumes if that is wanted, and tells the observer where the training goes on. */
  start(observer: Observer): Promise<void>;
  /** To be called after each batch. */
  afterBatch(): void;
  /** Saves the end of the training. */
  end(): Promise<void>;
}

/** Makes the saves of a training when its network is there. */
export type SaveTraining = (parts: TrainingParts) => TrainingSaves;
