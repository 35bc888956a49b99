import type { CheckpointedOptimizer } from "@gradstep/checkpoint";
import { chain, clipByGlobalNorm, ema, variantOf, type Schedule } from "@gradstep/core";
import { optimizerByName } from "@gradstep/core/by-name";
import { tfOptimizer } from "@gradstep/tfjs";
import type { Optimizer } from "@tensorflow/tfjs-core";
import type { NonFiniteChoice, OptimizerName } from "../optimizers.mjs";

/** A TF.js optimizer. */
export type TrainingOptimizer = Optimizer & {
  /** That of the next step. */
  readonly learningRate: number;
  /** The factor for the next loss. Left out where losses are not scaled. */
  readonly lossScale?: number;
  /** Steps that were left out because of gradients that were not finite. */
  readonly skippedSteps?: number;
  /** Whether it keeps averaged weights to evaluate with: the stage `ema` does, and schedule-free rules. */
  readonly keepsAverages?: boolean;
  /** Whether the network has these averages. */
  readonly isSwapped?: boolean;
  /** Exchanges the weights with these averages, or back. */
  readonly swap?: () => void;
};

/** Which optimizer of gradstep, and how its steps are taken. */
export interface OptimizerSettings {
  readonly optimizer: OptimizerName;
  /** Hyperparameters and options of the rule, other than the learning rate, that differ from their defaults. */
  readonly ruleSettings?: Readonly<Record<string, number | boolean | string | Schedule>>;
  /** The global norm of the gradients, if they are clipped. */
  readonly clip?: number | undefined;
  /** Batches per step. */
  readonly accumulate: number;
  readonly nonFinite?: NonFiniteChoice | undefined;
  readonly lossScale?: number | "dynamic" | undefined;
  /** The momentum of the average of the weights, if there is one. */
  readonly ema?: number | undefined;
}

/** TF.js's Adam, whose ε is in another place than in Keras. */
const tfjsForm = { epsilonMode: "paper", averageForm: "sum-of-squares" };

/**
 * gradstep's optimizer for these settings, in the memory of TF.js's current backend. Adam has the ε of TF.js's own Adam,
 * in the same place, so that a training has the same losses alone and in a comparison.
 */
export function gradstepOptimizer(
  settings: OptimizerSettings,
  learningRate: number | Schedule,
): TrainingOptimizer & CheckpointedOptimizer {
  const { optimizer: name, clip, accumulate, nonFinite, lossScale, ema: momentum } = settings;
  const form = name === "adam" ? tfjsForm : {};
  const rule = optimizerByName(name, { ...form, ...settings.ruleSettings, learningRate });
  const spec = chain(
    ...(clip === undefined ? [] : [clipByGlobalNorm(clip)]),
    rule,
    ...(momentum === undefined ? [] : [ema(momentum)]),
  );
  const control = {
    accumulate,
    ...(nonFinite !== undefined && { nonFinite }),
    ...(lossScale !== undefined && { lossScale }),
  };
  const keepsAverages = variantOf(spec).evaluation !== undefined;
  return Object.defineProperty(tfOptimizer({ ...spec, control }), "keepsAverages", {
    value: keepsAverages,
  });
}
