/** Bytes that can be read as a stream, from the first to the last. A `Blob` or a `File` is one. */
export type ByteSource = Pick<Blob, "size" | "stream">;

/** Options of `CheckpointStore.write`. */
export interface WriteOptions {
  /** Ends the write: it rejects with the signal's reason, and nothing new is listed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where checkpoints are kept. A store knows nothing of their content.
 *
 * All methods reject with `GradstepError`s: `STORE_FAILED` (whose `cause` is the platform's error), `OUT_OF_SPACE`.
 */
export interface CheckpointStore {
  /** The ids of all whole checkpoints, oldest first. What a killed writer left unfinished is not among them. */
  list(): Promise<readonly string[]>;
  /**
   * Saves the bytes as a new checkpoint, and resolves with its id once they are durable. If it rejects, nothing new is
   * listed and nothing old is lost; it rejects with `UNKNOWN_OPTION` or `INVALID_HYPERPARAMETER` for wrong options. The
   * chunks are overwritten after it has resolved: a store that keeps them keeps copies.
   */
  write(chunks: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<string>;
  /** The bytes of a checkpoint. */
  open(id: string): Promise<ByteSource>;
  /** Removes a checkpoint. Does nothing if there is none with this id. */
  remove(id: string): Promise<void>;
  /**
   * Makes this process or tab the only writer until the lock is released, or the process or tab ends. Optional: stores
   * without it can have several writers.
   * @throws {GradstepError} `STORE_LOCKED` if there is another writer
   */
  lock?(): Promise<StoreLock>;
}

export interface StoreLock {
  /** A second call does nothing. */
  release(): void;
}
