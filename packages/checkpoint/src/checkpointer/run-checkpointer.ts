import { GradstepError } from "@gradstep/core";
import { waitFor } from "../abort.js";
import { checkIoOptions } from "../check-io-options.js";
import { encodeCheckpoint, type SlotType } from "../checkpoint-file/checkpoint-file.js";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import type { CheckpointMemory } from "../checkpoint-file/checkpoint-memory.js";
import type { CheckpointStore } from "../stores/store.js";
import { checkParameterNames } from "./check-run.js";
import type { CheckpointedRun } from "./checkpointed-run.js";
import type { Checkpointer, Resumed, ResumeOptions } from "./checkpointer.js";
import { newestCheckpointInto } from "./newest-checkpoint.js";
import { restoreCheckpoint } from "./restore-checkpoint.js";
import { RunStore } from "./run-store.js";
import { takeSnapshot } from "./snapshot.js";

/** The options of `checkpointer`, checked and complete. */
interface RunOptions {
  readonly every: number | undefined;
  readonly keep: number;
  readonly slots: SlotType;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** What `checkpointer` returns. */
export class RunCheckpointer implements Checkpointer {
  readonly #run: CheckpointedRun;
  readonly #store: CheckpointStore;
  readonly #runStore: RunStore;
  readonly #options: RunOptions;
  /** The steps that the last save had. */
  #savedSteps: number;
  /** Ends when all saves and resumes that were started have ended. Never rejects. */
  #work: Promise<unknown> = Promise.resolve();
  /** Saves that have not ended. */
  #saves = 0;
  /** Ends when the last resume has ended. Never rejects; undefined if none goes on. */
  #resuming: Promise<unknown> | undefined;
  /** What an earlier save or resume no longer needs, for the next one. */
  #memory: CheckpointMemory | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(run: CheckpointedRun, store: CheckpointStore, options: RunOptions) {
    this.#run = run;
    this.#store = store;
    this.#runStore = new RunStore(store, options.keep);
    this.#options = options;
    this.#savedSteps = run.optimizer.iterations;
  }

  async resume(options: ResumeOptions = {}): Promise<Resumed | undefined> {
    checkIoOptions("resume", options, ["schedules", "partial", "signal"]);
    checkParameterNames(this.#run);
    const resumed = this.#resumeAfter(this.#work, options);
    const ended = Promise.allSettled([this.#work, resumed]);
    this.#work = ended;
    this.#resuming = ended;
    void ended.then(() => {
      if (this.#resuming === ended) this.#resuming = undefined;
    });
    return resumed;
  }

  async #resumeAfter(
    before: Promise<unknown>,
    { signal, ...options }: ResumeOptions,
  ): Promise<Resumed | undefined> {
    await waitFor(before, signal);
    await this.#runStore.lock();
    const ids = await this.#store.list();
    const newest = await newestCheckpointInto(this.#store, { signal }, this.#memory);
    if (newest === undefined) return undefined;
    const { id, checkpoint, damaged } = newest;
    const misfits = await restoreCheckpoint(this.#run, checkpoint, options);
    this.#memory = checkpoint;
    const { iterations } = this.#run.optimizer;
    this.#savedSteps = iterations;
    // Damaged ones must not push out whole ones.
    const unread = new Set(damaged.map((one) => one.id));
    this.#runStore.own(ids.filter((one) => !unread.has(one)));
    return { id, iterations, damaged, misfits };
  }

  lock(): Promise<void> {
    return this.#runStore.lock();
  }

  afterStep(): void {
    this.#throwFailure();
    const { every } = this.#options;
    if (every === undefined)
      throw new GradstepError(
        "afterStep: every is undefined, so that no step would be saved; expected checkpointer(…, { store, every: 100 }). Without it, call save().",
        { code: "INVALID_HYPERPARAMETER" },
      );
    if (this.#saves > 0 || this.#resuming !== undefined) return;
    const { iterations } = this.#run.optimizer;
    if (Math.floor(iterations / every) <= Math.floor(this.#savedSteps / every)) return;
    this.#start(undefined).catch(this.#report);
  }

  async save(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    checkIoOptions("save", options, ["signal"]);
    this.#throwFailure();
    return this.#start(options.signal);
  }

  async close(): Promise<void> {
    // Also for the saves that are started while it waits.
    while (this.#saves > 0) await this.#work;
    this.#memory = undefined;
    await this.#runStore.unlock();
    this.#throwFailure();
  }

  #start(signal: AbortSignal | undefined): Promise<string> {
    // While a resume goes on, the run is partly the old one.
    const snapshot =
      this.#resuming === undefined ? this.#snapshot() : this.#resuming.then(() => this.#snapshot());
    // An earlier save may fail first; then nothing else awaits this one.
    snapshot.catch(() => undefined);
    const before = this.#work;
    const written = this.#writeAfter(before, snapshot, signal);
    this.#saves += 1;
    // Both: one that was aborted while it waited does not end the one before it.
    this.#work = Promise.allSettled([before, written]);
    void this.#work.then(() => {
      this.#saves -= 1;
    });
    return written;
  }

  #snapshot(): Promise<Checkpoint> {
    this.#savedSteps = this.#run.optimizer.iterations;
    const memory = this.#memory;
    this.#memory = undefined;
    return takeSnapshot(this.#run, memory);
  }

  async #writeAfter(
    before: Promise<unknown>,
    snapshotting: Promise<Checkpoint>,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { slots } = this.#options;
    await waitFor(before, signal);
    await this.#runStore.lock();
    const snapshot = await snapshotting;
    const id = await this.#store.write(encodeCheckpoint(snapshot, { slots, signal }), { signal });
    this.#memory = snapshot;
    await this.#runStore.add(id).catch(this.#report);
    return id;
  }

  #throwFailure(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    throw error;
  }

  readonly #report = (error: unknown): void => {
    const { onError } = this.#options;
    if (onError === undefined) {
      this.#failure ??= { error };
      return;
    }
    try {
      onError(error);
    } catch (thrown) {
      this.#failure ??= { error: thrown };
    }
  };
}
