import type { CheckpointedOptimizer } from "@gradstep/checkpoint";
import {
  chain,
  clipByGlobalNorm,
  ema,
  variantOf,
  type OptimizerSpec,
  type Schedule,
} from "@gradstep/core";
import { optimizerByName } from "@gradstep/core/by-name";
import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "@gradstep/tfjs";
import { train, type Optimizer } from "@tensorflow/tfjs-core";
import { type Options, OptionsError } from "../options.mjs";
import { scheduleOf } from "./schedule-expression.js";

/** A TF.js optimizer. */
export type TrainingOptimizer = Optimizer & {
  /** That of the next step. */
  readonly learningRate: number;
  /** By what to multiply the next loss. Left out where losses are not scaled. */
  readonly lossScale?: number;
  /** Steps that were left out because of gradients that were not finite. */
  readonly skippedSteps?: number;
  /** Whether it keeps averaged weights to evaluate with: the stage `ema` does, and schedule-free rules. */
  readonly keepsAverages?: boolean;
  /** Exchanges the weights with these averages, or back. */
  readonly swap?: () => void;
};

/**
 * gradstep's optimizer for these options, in the memory of TF.js's current backend. Adam has the ε of TF.js's own Adam,
 * in the same place, so that a training has the same losses alone and in a comparison.
 */
export function gradstepOptimizer(
  options: Options,
  schedule: Schedule,
): TrainingOptimizer & CheckpointedOptimizer {
  const { optimizer: name, clip, accumulate, nonFinite, lossScale, ema: momentum } = options;
  const settings = { learningRate: schedule };
  const rule: OptimizerSpec =
    name === "adam" ? fromTfjs(name, settings) : optimizerByName(name, settings);
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

/** TF.js's own Adam. */
export function tfjsAdam(schedule: Schedule): TrainingOptimizer {
  const adam = train.adam();
  // TF.js reads the property in every step. It has no schedules.
  return Object.defineProperty(adam, "learningRate", {
    get: () => schedule.valueAt(adam.iterations),
  }) as unknown as TrainingOptimizer;
}

/**
 * The learning rate over the steps of a training.
 * @throws {OptionsError} also where a step would have a rate that no optimizer takes
 */
export function learningRateSchedule(
  { schedule: expression, learningRate, epochs, batchSize, accumulate }: Options,
  digits: number,
): Schedule {
  const batches = epochs * Math.ceil(digits / batchSize);
  const steps = Math.max(1, Math.floor(batches / accumulate));
  const schedule = scheduleOf(expression, { learningRate, steps });
  for (let step = 0; step < steps; step++) {
    const rate = schedule.valueAt(step);
    if (rate >= 0 && rate < Infinity) continue;
    throw new OptionsError(
      `Got --schedule "${expression}", which is ${rate} at step ${step + 1} of ${steps}; expected finite numbers of at least 0.`,
    );
  }
  return schedule;
}
