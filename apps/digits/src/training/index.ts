export { evaluate, evaluatePredictions, mistakes } from "./evaluation.js";
export { digitNetwork, layerWidths, parameterCount } from "./network.js";
export { gradstepOptimizer, type OptimizerSettings, type TrainingOptimizer } from "./optimizer.js";
export type { ProgressMeter } from "./progress-meter.js";
export type { SaveTraining, TrainingParts, TrainingSaves } from "./saves.js";
export { train, type Training } from "./train.js";
export { TurnQueue, type Turns } from "./turns.js";
