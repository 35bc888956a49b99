import { optimizerByName } from "@gradstep/core/by-name";
import { fromTfjs } from "@gradstep/core/interop";
import { rules } from "@gradstep/core/rules";
import { tfOptimizer } from "@gradstep/tfjs";
import { train, type Optimizer } from "@tensorflow/tfjs-core";

/** An optimizer of TF.js whose learning rate may be set between two steps. */
export type TrainingOptimizer = Optimizer & { learningRate: number };

/** What `--optimizer` takes: every rule that gradstep has. */
export const optimizerNames: readonly string[] = rules.map(({ name }) => name);

/** First learning rates that suit this network, found by trying a few for each. */
const suitableRates: Readonly<Record<string, number>> = {
  adam: 0.003,
  adamw: 0.003,
  adamax: 0.008,
  nadam: 0.003,
  adagrad: 0.08,
  rmsprop: 0.002,
  sgd: 0.3,
  lion: 0.0005,
};

/** The first learning rate when none is asked for; that of a rule which nobody has tried here is the rule's own. */
export function suitableRate(name: string): number {
  const rule = rules.find((one) => one.name === name);
  return suitableRates[name] ?? rule?.hyperparameters["learningRate"]?.default ?? 0.001;
}

/** gradstep's optimizer of that name, working in the memory of TF.js's current backend. */
export function gradstepOptimizer(name: string, learningRate: number): TrainingOptimizer {
  return tfOptimizer(optimizerByName(name, { learningRate }));
}

/** gradstep's Adam with the numbers of TF.js's own: the form that `--compare` sets beside it. */
export function gradstepAdamAsTfjs(learningRate: number): TrainingOptimizer {
  return tfOptimizer(fromTfjs("adam", { learningRate }));
}

/** TF.js's own Adam. */
export function tfjsAdam(learningRate: number): TrainingOptimizer {
  // It reads its learning rate at every step but declares it protected.
  return train.adam(learningRate) as unknown as TrainingOptimizer;
}
