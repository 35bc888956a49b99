import {
  checkOptions,
  GradstepError,
  show,
  type Misfit,
  type RestoreOptions,
} from "@gradstep/core";
import { waitFor } from "../abort.js";
import {
  checkSlotType,
  encodeCheckpoint,
  type SlotType,
} from "../checkpoint-file/checkpoint-file.js";
import type { CheckpointStore, StoreLock } from "../stores/store.js";
import { checkRun } from "./check-run.js";
import { newestCheckpoint, type DamagedCheckpoint } from "./newest-checkpoint.js";
import { restoreCheckpoint } from "./restore-checkpoint.js";
import {
  takeSnapshot,
  type CheckpointedOptimizer,
  type CheckpointedParameters,
  type CheckpointedRun,
  type Restorables,
} from "./snapshot.js";

/** Options of `checkpointer`. */
export interface CheckpointerOptions {
  readonly store: CheckpointStore;
  /**
   * `afterStep` saves when the number of steps has reached the next multiple of this: after 100, 200, … steps for 100. It
   * never saves if this is left out.
   */
  readonly every?: number | undefined;
  /**
   * How many checkpoints of the run stay in the store: 3 if left out. Older ones are removed after a newer one is durable.
   * What was in the store before belongs to the run after `resume`, and is never removed without it.
   */
  readonly keep?: number | undefined;
  /** What else belongs to the run, by names that stay the same. */
  readonly others?: Restorables | undefined;
  /** How the slots are stored; see `encodeCheckpoint`. */
  readonly slots?: SlotType | undefined;
  /**
   * Told what failed in a save that `afterStep` started. If left out, the next call of `afterStep`, `save` or `close`
   * fails with it, as with what `onError` throws.
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
   * Restores the newest whole checkpoint: parameters, optimizer and the others. Resolves with undefined if the store has
   * none. Damaged ones are passed over and stay in the store.
   *
   * @throws {GradstepError} `STATE_MISMATCH` (it does not fit: all differences), `INVALID_FILE` (all are damaged),
   * `STORE_LOCKED`, `STORE_FAILED`, and as `optimizer.restore` does; then nothing has changed
   */
  resume(options?: ResumeOptions): Promise<Resumed | undefined>;
  /**
   * To be called after each step. Starts a save when one is due, and returns at once. If the last save is not finished, the
   * new one starts in the first call after that: there is never more than one copy of the run in memory.
   *
   * @throws the error of an earlier save, without `onError`
   */
  afterStep(): void;
  /**
   * Saves the run as it is at the time of the call. Training may go on before the save is finished.
   * @returns the id in the store, when the checkpoint is durable
   * @throws {GradstepError} `OUT_OF_SPACE`, `STORE_FAILED`, `STORE_LOCKED`, `SWAPPED`, `UNSUPPORTED` (other states that are
   * not plain data); then the store has all that it had before
   */
  save(options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /** Waits for the save in progress and gives back the lock of the store. */
  close(): Promise<void>;
}

/**
 * Saves a run every few steps and resumes it where it was. What is saved is of one moment, though training goes on
 * meanwhile; work that the caller has encoded must be submitted before.
 *
 * @param parameters all that the model consists of; more than the optimizer updates, if need be
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `INVALID_PARAMETER`
 */
export function checkpointer(
  optimizer: CheckpointedOptimizer,
  parameters: CheckpointedParameters,
  options: CheckpointerOptions,
): Checkpointer {
  checkOptions("checkpointer", options, ["store", "every", "keep", "others", "slots", "onError"]);
  const { store, every, keep = 3, others = {}, slots, onError } = options;
  checkCount("every", every ?? 1);
  checkCount("keep", keep);
  checkSlotType("checkpointer", slots ?? "f32");
  if (onError !== undefined && typeof onError !== "function")
    throw new GradstepError(`checkpointer: onError is ${show(onError)}; expected a function.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  const run: CheckpointedRun = { optimizer, parameters, others };
  checkRun(run, store);
  /** The steps that the last save had. */
  let saved = optimizer.iterations;
  let locking: Promise<StoreLock> | undefined;
  /** The checkpoints of this run. Those of a run that was not resumed are not removed for it. */
  const ofRun = new Set<string>();
  /** Ends when all saves that were started have ended. Never rejects. */
  let saving: Promise<unknown> = Promise.resolve();
  let pending = 0;
  let failure: { readonly error: unknown } | undefined;

  const throwFailure = (): void => {
    if (failure === undefined) return;
    const { error } = failure;
    failure = undefined;
    throw error;
  };
  const report = (error: unknown): void => {
    if (onError === undefined) {
      failure ??= { error };
      return;
    }
    try {
      onError(error);
    } catch (thrown) {
      failure ??= { error: thrown };
    }
  };
  const lock = async (): Promise<void> => {
    locking ??= store.lock?.();
    try {
      await locking;
    } catch (error) {
      locking = undefined;
      throw error;
    }
  };
  const removeOld = async (): Promise<void> => {
    const ids = (await store.list()).filter((id) => ofRun.has(id));
    for (const id of ids.slice(0, -keep)) {
      await store.remove(id);
      ofRun.delete(id);
    }
  };
  const start = (signal: AbortSignal | undefined): Promise<string> => {
    const snapshot = takeSnapshot(run);
    // An earlier save may fail first; then nothing else awaits this one.
    snapshot.catch(() => undefined);
    saved = optimizer.iterations;
    const before = saving;
    const written = (async () => {
      await waitFor(before, signal);
      await lock();
      const id = await store.write(encodeCheckpoint(await snapshot, { slots, signal }), { signal });
      ofRun.add(id);
      await removeOld().catch(report);
      return id;
    })();
    pending += 1;
    // Both: one that was aborted while it waited does not end the one before it.
    saving = Promise.allSettled([before, written]);
    void saving.then(() => {
      pending -= 1;
    });
    return written;
  };
  return {
    async resume(resumeOptions = {}) {
      checkOptions("resume", resumeOptions, ["schedules", "partial", "signal"]);
      const { signal, ...restoring } = resumeOptions;
      await waitFor(saving, signal);
      await lock();
      const ids = await store.list();
      const newest = await newestCheckpoint(store, { signal });
      if (newest === undefined) return undefined;
      const { id, checkpoint, damaged } = newest;
      const misfits = await restoreCheckpoint(run, checkpoint, restoring);
      saved = optimizer.iterations;
      // Damaged ones must not push out whole ones.
      const unread = new Set(damaged.map((one) => one.id));
      for (const one of ids) if (!unread.has(one)) ofRun.add(one);
      return { id, iterations: optimizer.iterations, damaged, misfits };
    },
    afterStep() {
      throwFailure();
      if (every === undefined || pending > 0) return;
      if (Math.floor(optimizer.iterations / every) <= Math.floor(saved / every)) return;
      start(undefined).catch(report);
    },
    async save(saveOptions = {}) {
      checkOptions("save", saveOptions, ["signal"]);
      throwFailure();
      return start(saveOptions.signal);
    },
    async close() {
      // Also for the saves that are started while it waits.
      while (pending > 0) await saving;
      // A save that comes later takes a lock of its own.
      const held = locking?.catch(() => undefined);
      locking = undefined;
      (await held)?.release();
      throwFailure();
    },
  };
}

function checkCount(name: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) > 0) return;
  throw new GradstepError(`checkpointer: ${name} is ${show(value)}; expected a positive integer.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}
