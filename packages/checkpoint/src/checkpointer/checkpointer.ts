import type { Misfit, RestoreOptions } from "@gradstep/core";
import type { SlotType } from "../checkpoint-file/checkpoint-file.js";
import type { CheckpointStore } from "../stores/store.js";
import type { Restorables } from "./checkpointed-run.js";
import type { DamagedCheckpoint } from "./newest-checkpoint.js";

/** Options of `checkpointer`. */
export interface CheckpointerOptions {
  readonly store: CheckpointStore;
  /**
   * `afterStep` saves when the number of steps has reached the next multiple of this: after 100, 200, … steps for 100.
   * Needed only for `afterStep`.
   */
  readonly every?: number | undefined;
  /**
   * How many checkpoints of the run stay in the store: 3 if left out. Older ones are removed after a newer one is durable.
   * What was in the store before belongs to the run after `resume`, and is never removed without it.
   */
  readonly keep?: number | undefined;
  /** Everything else that belongs to the run, by names that stay the same. */
  readonly others?: Restorables | undefined;
  /** How the slots are stored; see `encodeCheckpoint`. */
  readonly slots?: SlotType | undefined;
  /**
   * Called with the error of a save that `afterStep` started. If left out, the next call of `afterStep`, `save` or `close`
   * fails with that error; if `onError` throws, with what it throws.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Options of `checkpointer.resume`. */
export interface ResumeOptions extends RestoreOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What `checkpointer.resume` has restored. */
export interface Resumed {
  /** The id of the checkpoint in the store. */
  readonly id: string;
  /** The optimizer's number of steps. */
  readonly iterations: number;
  /** Newer checkpoints that could not be read, newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
  /** What did not fit, with the option `partial`; otherwise empty. */
  readonly misfits: readonly Misfit[];
}

/** Saves a run to a store and resumes it. */
export interface Checkpointer {
  /**
   * Restores the newest complete checkpoint: the optimizer with its hyperparameters, the parameters, then the others in
   * their order. Resolves with undefined if the store has none. Damaged ones are passed over and stay in the store. Take
   * no step before it resolves.
   *
   * @throws {GradstepError} `STATE_MISMATCH` (it does not fit: all differences), `INVALID_FILE` (all are damaged),
   * `STORE_LOCKED`, `STORE_FAILED`, and as `optimizer.restore` does; also what one of the others throws. Then nothing has
   * changed: the former states of the others have been restored
   */
  resume(options?: ResumeOptions): Promise<Resumed | undefined>;
  /**
   * Takes the lock of the store now, and not with the first save or resume: so another writer, or a directory that cannot
   * be written, is an error before any step was taken.
   * @throws {GradstepError} `STORE_LOCKED`, `STORE_FAILED`, `OUT_OF_SPACE`
   */
  lock(): Promise<void>;
  /**
   * To be called after each step. Starts a save when one is due, and returns at once. If the last save or a resume is not
   * finished, the new one starts in the first call after that: there is never more than one copy of the run in memory.
   *
   * @throws {GradstepError} `INVALID_HYPERPARAMETER` without `every`; the error of an earlier save, without `onError`
   */
  afterStep(): void;
  /**
   * Saves the run as it is at the time of the call; during a resume, as it is when that is finished. Training may go on
   * before the save is finished.
   * @returns the id in the store, when the checkpoint is durable
   * @throws {GradstepError} `OUT_OF_SPACE`, `STORE_FAILED`, `STORE_LOCKED`, `SWAPPED`, `UNSUPPORTED` (other states that are
   * not plain data), `INVALID_PARAMETER` (the optimizer has got parameters that the checkpointer does not have); then the
   * store has all that it had before
   */
  save(options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /** Waits for the save in progress and gives back the lock of the store. */
  close(): Promise<void>;
}
