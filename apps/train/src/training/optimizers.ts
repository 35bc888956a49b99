import { optimizerByName } from "@gradstep/core/by-name";
import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "@gradstep/tfjs";
import { train, type Optimizer } from "@tensorflow/tfjs-core";
import type { OptimizerName } from "../options.mjs";

/** A TF.js optimizer whose learning rate can be set between two steps. */
export type TrainingOptimizer = Optimizer & { learningRate: number };

/**
 * gradstep's optimizer of that name, in the memory of TF.js's current backend. Adam has the ε of TF.js's own Adam, in
 * the same place, so that a training has the same losses alone and in a comparison.
 */
export function gradstepOptimizer(name: OptimizerName, learningRate: number): TrainingOptimizer {
  const spec =
    name === "adam" ? fromTfjs(name, { learningRate }) : optimizerByName(name, { learningRate });
  return tfOptimizer(spec);
}

/** TF.js's own Adam. */
export function tfjsAdam(learningRate: number): TrainingOptimizer {
  // TF.js reads its learning rate at every step, but declares it protected.
  return train.adam(learningRate) as unknown as TrainingOptimizer;
}
