import type { TrainingOptions } from "./training.js";

/** What `pnpm start` trains: seconds on a GPU, a few minutes on a software driver. */
export const fullTraining: TrainingOptions = {
  size: 64,
  cameras: 12,
  heldOutCameras: 4,
  viewsPerStep: 2,
  steps: 500,
  seed: 11,
  points: 200,
  capacity: 1024,
  density: "adaptive",
  densifyEvery: 40,
  densifyUntil: 320,
  resetOpacityEvery: 160,
  reportEvery: 50,
};

/** What the test trains: seconds on a software driver. */
export const smallTraining: TrainingOptions = {
  size: 32,
  cameras: 8,
  heldOutCameras: 2,
  viewsPerStep: 2,
  steps: 150,
  seed: 11,
  points: 100,
  capacity: 360,
  density: "adaptive",
  densifyEvery: 20,
  densifyUntil: 60,
  resetOpacityEvery: 50,
  reportEvery: 50,
};
