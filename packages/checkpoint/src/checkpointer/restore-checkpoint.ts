import {
  GradstepError,
  type Misfit,
  type OptimizerState,
  type RestoreOptions,
} from "@gradstep/core";
import { stateMismatch } from "@gradstep/core/internal";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import { misfitsOfRun } from "./run-misfits.js";
import type { CheckpointedOptimizer, CheckpointedRun } from "./checkpointed-run.js";
import { takeSnapshot } from "./snapshot.js";

/**
 * Puts a checkpoint into a run: the optimizer, the parameters, then the others in their order.
 * @returns what did not fit, with `partial`
 * @throws {GradstepError} `STATE_MISMATCH` with all that does not fit, `DISPOSED`; or what one of the others throws; then the
 * run is as before
 */
export async function restoreCheckpoint(
  run: CheckpointedRun,
  checkpoint: Checkpoint,
  options: RestoreOptions,
): Promise<readonly Misfit[]> {
  const misfits = misfitsOfRun(run, checkpoint);
  if (misfits.length > 0 && options.partial !== true)
    throw checkpointMismatch([
      ...misfits,
      ...(await misfitsOfOptimizer(run.optimizer, checkpoint.optimizer, options)),
    ]);
  checkAreLive(run);
  const isMisfit = new Set(misfits.map(({ path }) => path));
  const restorables = Object.entries(run.others).filter(
    ([name]) => !isMisfit.has(`others.${name}`),
  );
  const before = restorables.length === 0 ? undefined : await takeSnapshot(run);
  const ofOptimizer = restoreOptimizer(run.optimizer, checkpoint.optimizer, options);
  for (const [name, parameter] of Object.entries(run.parameters))
    if (!isMisfit.has(`parameters.${name}`)) parameter.write(checkpoint.parameters[name].values);
  try {
    for (const [name, one] of restorables) await one.restore(checkpoint.others[name] as never);
  } catch (error) {
    await putBack(run, before!, error);
    throw error;
  }
  return [...misfits, ...ofOptimizer];
}

/** @throws {GradstepError} `STATE_MISMATCH`, which says what to do with a checkpointer */
function restoreOptimizer(
  optimizer: CheckpointedOptimizer,
  state: OptimizerState,
  options: RestoreOptions,
): readonly Misfit[] {
  try {
    return optimizer.restore(state, options) ?? [];
  } catch (error) {
    if (!(error instanceof GradstepError) || error.misfits === undefined) throw error;
    throw error.misfits.length === 0 ? error : checkpointMismatch(error.misfits);
  }
}

/** What of a state does not fit the optimizer, which is left as it is. */
async function misfitsOfOptimizer(
  optimizer: CheckpointedOptimizer,
  state: OptimizerState,
  options: RestoreOptions,
): Promise<readonly Misfit[]> {
  const before = await optimizer.state();
  try {
    optimizer.restore(state, options);
  } catch (error) {
    if (error instanceof GradstepError && error.misfits !== undefined) return error.misfits;
    throw error;
  }
  optimizer.restore(before, { schedules: "code" });
  return [];
}

function checkpointMismatch(misfits: readonly Misfit[]): GradstepError {
  return stateMismatch(
    misfits,
    "The checkpoint does not fit this run",
    "resume({ partial: true })",
  );
}

/** @throws {GradstepError} `DISPOSED` */
function checkAreLive({ parameters }: CheckpointedRun): void {
  const freed = Object.keys(parameters).find((name) => parameters[name].freed === true);
  if (freed !== undefined)
    throw new GradstepError(`The parameter "${freed}" was freed; expected a live tensor.`, {
      code: "DISPOSED",
    });
}

/** Makes a run what it was before. @throws {AggregateError} if that fails, too */
async function putBack(
  { optimizer, parameters, others }: CheckpointedRun,
  before: Checkpoint,
  cause: unknown,
): Promise<void> {
  try {
    optimizer.restore(before.optimizer, { schedules: "code" });
    for (const [name, parameter] of Object.entries(parameters))
      parameter.write(before.parameters[name].values);
    for (const [name, one] of Object.entries(others))
      await one.restore(before.others[name] as never);
  } catch (error) {
    throw new AggregateError(
      [cause, error],
      "A part of the checkpoint could not be restored, and the run could not be made what it was before; make a new one.",
    );
  }
}
