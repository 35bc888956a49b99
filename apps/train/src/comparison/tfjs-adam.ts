import type { Schedule } from "@gradstep/core";
import type { TrainingOptimizer } from "@gradstep/digits/training";
import { train } from "@tensorflow/tfjs-core";

/** TF.js's own Adam. */
export function tfjsAdam(schedule: Schedule): TrainingOptimizer {
  const adam = train.adam();
  // TF.js reads the property in every step. It has no schedules.
  return Object.defineProperty(adam, "learningRate", {
    get: () => schedule.valueAt(adam.iterations),
  }) as unknown as TrainingOptimizer;
}
