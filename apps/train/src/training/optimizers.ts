import {
  chain,
  clipByGlobalNorm,
  ema,
  GradstepError,
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
};

/**
 * gradstep's optimizer for these options, in the memory of TF.js's current backend. Adam has the ε of TF.js's own Adam,
 * in the same place, so that a training has the same losses alone and in a comparison.
 *
 * @throws {OptionsError} for a schedule whose values the optimizer does not take
 */
export function gradstepOptimizer(
  { optimizer: name, clip, ema: momentum, schedule: expression }: Options,
  schedule: Schedule,
): TrainingOptimizer {
  const settings = { learningRate: schedule };
  try {
    const rule: OptimizerSpec =
      name === "adam" ? fromTfjs(name, settings) : optimizerByName(name, settings);
    return tfOptimizer(
      chain(
        ...(clip === undefined ? [] : [clipByGlobalNorm(clip)]),
        rule,
        ...(momentum === undefined ? [] : [ema(momentum)]),
      ),
    );
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    throw new OptionsError(`Got --schedule "${expression}" for ${name}: ${error.message}`);
  }
}

/** TF.js's own Adam. */
export function tfjsAdam(schedule: Schedule): TrainingOptimizer {
  const adam = train.adam();
  // TF.js reads the property in every step. It has no schedules.
  return Object.defineProperty(adam, "learningRate", {
    get: () => schedule.valueAt(adam.iterations),
  }) as unknown as TrainingOptimizer;
}

/** The learning rate over the steps of a training. @throws {OptionsError} */
export function learningRateSchedule(
  { schedule, learningRate, epochs, batchSize, accumulate }: Options,
  digits: number,
): Schedule {
  const batches = epochs * Math.ceil(digits / batchSize);
  const steps = Math.max(1, Math.floor(batches / accumulate));
  try {
    return scheduleOf(schedule, { learningRate, steps });
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    throw new OptionsError(`Got --schedule "${schedule}": ${error.message}`);
  }
}
