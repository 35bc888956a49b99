import { GradstepError, list, type RestoreOptions } from "@gradstep/core";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import type { CheckpointedRun } from "./snapshot.js";

/**
 * Puts a checkpoint into a run. Names and shapes are checked before anything changes; then come the optimizer, which checks
 * its own part, the parameters, and the others.
 * @throws {GradstepError} `STATE_MISMATCH`
 */
export function restoreCheckpoint(
  { optimizer, parameters, others }: CheckpointedRun,
  checkpoint: Checkpoint,
  options: RestoreOptions,
): void {
  const misfits = [
    ...misfitsOfParameters(parameters, checkpoint.parameters),
    ...missing("other state", Object.keys(others), checkpoint.others),
  ];
  if (misfits.length > 0)
    throw new GradstepError(
      `The checkpoint does not belong to this run: ${list(misfits)}. Resume with the model and the optimizer that it was made with.`,
      { code: "STATE_MISMATCH" },
    );
  optimizer.restore(checkpoint.optimizer, options);
  for (const [name, parameter] of Object.entries(parameters))
    parameter.write(checkpoint.parameters[name].values);
  for (const [name, one] of Object.entries(others)) one.restore(checkpoint.others[name] as never);
}

function misfitsOfParameters(
  parameters: CheckpointedRun["parameters"],
  saved: Checkpoint["parameters"],
): readonly string[] {
  const names = Object.keys(parameters);
  return [
    ...missing("parameter", names, saved),
    ...missing("parameter", Object.keys(saved), parameters, "is unknown here"),
    ...names.flatMap((name) => {
      const [got, expected] = [saved, parameters].map((table) =>
        Object.hasOwn(table, name) ? JSON.stringify(table[name].shape) : undefined,
      );
      return got === undefined || got === expected
        ? []
        : [`parameter ${name} has shape ${got}, and ${expected} here`];
    }),
  ];
}

function missing(
  what: string,
  names: readonly string[],
  table: object,
  how: string = "is missing",
): readonly string[] {
  return names
    .filter((name) => !Object.hasOwn(table, name))
    .map((name) => `${what} ${name} ${how}`);
}
