import type { CheckpointStore, StoreLock } from "../stores/store.js";

/** The checkpoints of one run in a store, and the lock of the store. */
export class RunStore {
  readonly #store: CheckpointStore;
  readonly #keep: number;
  /** Checkpoints of a run that was not resumed are not among them, and are not removed for this one. */
  readonly #ids = new Set<string>();
  #locking: Promise<StoreLock> | undefined;

  /** @param keep how many checkpoints of the run stay */
  constructor(store: CheckpointStore, keep: number) {
    this.#store = store;
    this.#keep = keep;
  }

  /** Takes the lock, once. @throws {GradstepError} `STORE_LOCKED`, `STORE_FAILED` */
  async lock(): Promise<void> {
    this.#locking ??= this.#store.lock?.();
    try {
      await this.#locking;
    } catch (error) {
      this.#locking = undefined;
      throw error;
    }
  }

  /** Gives the lock back. A save that comes later takes a lock of its own. */
  async unlock(): Promise<void> {
    const held = this.#locking?.catch(() => undefined);
    this.#locking = undefined;
    (await held)?.release();
  }

  /** Notes that these belong to the run. */
  own(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
  }

  /** Notes a new checkpoint, and removes those that are too many. @throws {GradstepError} `STORE_FAILED` */
  async add(id: string): Promise<void> {
    this.#ids.add(id);
    const ids = (await this.#store.list()).filter((one) => this.#ids.has(one));
    for (const old of ids.slice(0, -this.#keep)) {
      await this.#store.remove(old);
      this.#ids.delete(old);
    }
  }
}
