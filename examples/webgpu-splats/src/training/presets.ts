import type { TrainingOptions } from "./training.js";

/** A minute or less on a software driver. */
export const fullTraining: TrainingOptions = {
  size: 64,
  cameras: 12,
  viewsPerStep: 2,
  steps: 600,
  points: 200,
  capacity: 2048,
  densifyEvery: 40,
  densifyUntil: 400,
  resetOpacityEvery: 200,
  reportEvery: 50,
};
