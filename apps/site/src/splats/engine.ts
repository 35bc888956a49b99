import type { Picture } from "./picture.js";
import type { Trainer } from "./trainer.js";
import type { TrainingSettings } from "./training-settings.js";
import type { View } from "./view.js";

/** A training and what shows it. */
export interface Run {
  readonly trainer: Trainer;
  readonly view: View;
}

/** What trainings run on. */
export interface Engine {
  start(picture: Picture, settings: TrainingSettings): Run;
  /** Resolves when the work before the previous call is done, so that at most two batches wait for the GPU. */
  ready(): Promise<void>;
  /** Resolves when all work so far is done. */
  idle(): Promise<void>;
  /**
   * Called when trainings cannot go on.
   * @param isCause whether what failed before failed because of it
   */
  onFailure: (message: string, isCause?: boolean) => void;
  dispose(): void;
}
