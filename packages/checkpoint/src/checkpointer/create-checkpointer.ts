import { GradstepError, show } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { checkSlotType } from "../checkpoint-file/checkpoint-file.js";
import { checkRun } from "./check-run.js";
import type { CheckpointedOptimizer, CheckpointedParameters } from "./checkpointed-run.js";
import type { Checkpointer, CheckpointerOptions } from "./checkpointer.js";
import { RunCheckpointer } from "./run-checkpointer.js";

/**
 * Saves a run every few steps and resumes it where it was. A checkpoint holds the run at one moment, although training
 * continues while it is written; work that the caller has encoded must be submitted before.
 *
 * @param parameters all that the model consists of, by the names that the optimizer has for them; more than the optimizer
 * updates, if need be. The object is read at each save: parameters that come later can be added to it
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_PARAMETER`
 */
export function checkpointer(
  optimizer: CheckpointedOptimizer,
  parameters: CheckpointedParameters,
  options: CheckpointerOptions,
): Checkpointer {
  checkOptions("checkpointer", options, ["store", "every", "keep", "others", "slots", "onError"]);
  const { store, every, keep = 3, others = {}, slots = "f32", onError } = options;
  if (every !== undefined) checkCount("every", every);
  checkCount("keep", keep);
  checkSlotType("checkpointer", slots);
  if (onError !== undefined && typeof onError !== "function")
    throw new GradstepError(`checkpointer: onError is ${show(onError)}; expected a function.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  const run = { optimizer, parameters, others };
  checkRun(run, store);
  return new RunCheckpointer(run, store, { every, keep, slots, onError });
}

function checkCount(name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) > 0) return;
  throw new GradstepError(`checkpointer: ${name} is ${show(value)}; expected a positive integer.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}
