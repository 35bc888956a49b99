import type { Schedule } from "@gradstep/core";
import { type Options, OptionsError } from "../options.mjs";
import { scheduleOf } from "./schedule-expression.js";

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
