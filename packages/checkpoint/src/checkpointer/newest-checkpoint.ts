import { GradstepError, list } from "@gradstep/core";
import { checkIoOptions } from "../check-io-options.js";
import {
  decodeCheckpointInto,
  type CheckpointDecodeOptions,
} from "../checkpoint-file/checkpoint-file.js";
import type { CheckpointMemory } from "../checkpoint-file/checkpoint-memory.js";
import { checkStore } from "./check-run.js";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import type { CheckpointStore } from "../stores/store.js";

/** A checkpoint that is listed and cannot be read. */
export interface DamagedCheckpoint {
  readonly id: string;
  readonly error: GradstepError;
}

/** A checkpoint that was read from a store. */
export interface StoredCheckpoint {
  readonly id: string;
  readonly checkpoint: Checkpoint;
  /** Newer ones that could not be read, newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/**
 * The newest whole checkpoint of a store, undefined if the store has none. Restores nothing and takes no lock.
 * @throws {GradstepError} If there are checkpoints and none can be read: the code of the newest one, which is `INVALID_FILE`
 * (damaged) or `STORE_FAILED`. Also `UNSUPPORTED` (made by a later version), `INVALID_HYPERPARAMETER` (what is no store
 * or no signal), `UNKNOWN_OPTION`
 */
export async function newestCheckpoint(
  store: CheckpointStore,
  options: CheckpointDecodeOptions = {},
): Promise<StoredCheckpoint | undefined> {
  checkStore("newestCheckpoint", store);
  checkIoOptions("newestCheckpoint", options, ["signal", "onProgress"]);
  return newestCheckpointInto(store, options, undefined);
}

/** The same, into the memory of a checkpoint that is no longer needed. */
export async function newestCheckpointInto(
  store: CheckpointStore,
  options: CheckpointDecodeOptions,
  reuse: CheckpointMemory | undefined,
): Promise<StoredCheckpoint | undefined> {
  const ids = await store.list();
  const damaged: DamagedCheckpoint[] = [];
  for (const id of [...ids].reverse()) {
    try {
      const checkpoint = await decodeCheckpointInto(await store.open(id), options, reuse);
      return { id, checkpoint, damaged };
    } catch (error) {
      if (!isDamage(error)) throw error;
      damaged.push({ id, error });
    }
  }
  if (damaged.length === 0) return undefined;
  throw new GradstepError(
    `None of the checkpoints can be read: ${list(damaged.map(({ id }) => id))}. The newest: ${damaged[0].error.message}`,
    { code: damaged[0].error.code, cause: damaged[0].error },
  );
}

function isDamage(error: unknown): error is GradstepError {
  return error instanceof GradstepError && ["INVALID_FILE", "STORE_FAILED"].includes(error.code);
}
