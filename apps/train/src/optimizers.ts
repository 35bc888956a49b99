import { AdamOptimizer, type Optimizer, train } from "@tensorflow/tfjs-core";

/** An optimizer of TF.js whose learning rate may be set between two steps. */
export type TrainingOptimizer = Optimizer & { learningRate: number };

/** The learning rate for each optimizer that suits this network; they are the names that `--optimizer` takes. */
export const learningRates = {
  adam: 0.002,
  adamw: 0.002,
  adamax: 0.004,
  nadam: 0.002,
  adagrad: 0.02,
  rmsprop: 0.001,
  sgd: 0.2,
  lion: 0.0003,
} as const satisfies Record<string, number>;

export type OptimizerName = keyof typeof learningRates;

export const optimizerNames: readonly OptimizerName[] = Object.keys(learningRates) as OptimizerName[];

/** gradstep's optimizer of that name, working in the memory of TF.js's current backend. */
export function gradstepOptimizer(_name: OptimizerName, learningRate: number): TrainingOptimizer {
  // Until @gradstep/tfjs is there, TF.js's own Adam stands in for every name.
  return tfjsAdam(learningRate);
}

/** gradstep's Adam with the numbers of TF.js's own: the form that `--compare` sets beside it. */
export function gradstepAdamAsTfjs(learningRate: number): TrainingOptimizer {
  return tfjsAdam(learningRate);
}

/** TF.js's own Adam. */
export function tfjsAdam(learningRate: number): TrainingOptimizer {
  // Its learning rate is read at every step but declared protected.
  return train.adam(learningRate) as AdamOptimizer as unknown as TrainingOptimizer;
}
