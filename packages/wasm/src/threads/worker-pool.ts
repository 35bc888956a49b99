import { GradstepError } from "@gradstep/core";
import type { Heap } from "../memory/heap.js";
import { controlBlock, controlWords } from "./control-block.js";
import { canBlock, startWorker, type WorkerThread } from "./worker.js";

/** The functions of a threaded kernel module, and where workers find the module. */
export interface ThreadedKernel {
  /** Address of the module in the shared memory: its length in bytes (i32), then the bytes. */
  readonly address: number;
  readonly publishChunks: (control: number, kernel: number, count: number) => void;
  readonly claimChunks: (control: number, kernel: number) => void;
}

/** A table of chunks: their number, and the address after the last. */
export interface Chunks {
  readonly count: number;
  readonly end: number;
}

/** Options of a worker pool. */
export interface WorkerPoolOptions {
  /** Threads, the calling one included. */
  readonly threads: number;
  readonly workerUrl?: string | undefined;
  /** Milliseconds without progress after which a worker is considered lost. */
  readonly timeoutMs?: number;
  readonly start?: typeof startWorker;
}

/** Polls for the last chunks before the caller sleeps: about 20 µs, less than it takes to sleep and wake up. */
const spinIterations = 4000;

/**
 * Workers that update the chunks of a batch together with the calling thread. Every thread claims one chunk at a time,
 * so that a worker that is late or never comes leaves its chunks to the others.
 */
export class WorkerPool {
  readonly #diagnostics: string[] = [];
  readonly #control: number;
  readonly #words: Int32Array;
  readonly #workers = new Map<number, WorkerThread>();
  /** Indices of lost workers: a host may report one more than once. */
  readonly #lostWorkers = new Set<number>();
  readonly #timeoutMs: number;
  /** Why a worker was lost, until `throwPendingError` has reported it. */
  #pendingError: string | undefined;
  #isDisposed = false;

  /** Starts the workers. @throws {GradstepError} `OUT_OF_MEMORY` */
  constructor(heap: Heap, options: WorkerPoolOptions) {
    const { threads, workerUrl, timeoutMs = 10_000, start = startWorker } = options;
    const { memory } = heap;
    this.#timeoutMs = timeoutMs;
    this.#control = heap.allocate(controlBlock.byteLength);
    this.#words = new Int32Array(memory.buffer, this.#control, controlWords.length);
    this.#words.fill(0);
    for (let index = 0; index < threads - 1; index += 1) {
      const onLost = (reason: string): void => this.#lose(index, reason);
      try {
        const data = { memory, control: this.#control, index };
        const worker = start(data, workerUrl, onLost);
        if (!this.#lostWorkers.has(index)) this.#workers.set(index, worker);
      } catch (error) {
        onLost(String(error));
      }
    }
  }

  /** One sentence per worker that did not start. */
  get diagnostics(): readonly string[] {
    return this.#diagnostics;
  }

  /** Workers that are not lost. */
  get workers(): number {
    return this.#workers.size;
  }

  /**
   * Reports once that a worker was lost since the last batch.
   * @throws {GradstepError} `WORKER_LOST`
   */
  throwPendingError(): void {
    const reason = this.#pendingError;
    if (reason === undefined) return;
    this.#pendingError = undefined;
    throw new GradstepError(
      `A worker thread ended between two steps: ${reason}. All earlier steps are complete, and this call has changed ` +
        `nothing. Call step again: it continues with ${this.workers + 1} threads.`,
      { code: "WORKER_LOST" },
    );
  }

  /**
   * Updates all chunks of the table, which must have one at least.
   * @throws {GradstepError} `WORKER_LOST`: the batch is incomplete
   */
  run(kernel: ThreadedKernel, chunks: Chunks): void {
    const words = this.#words;
    const { count } = chunks;
    words[controlWords.chunksEnd] = chunks.end;
    kernel.publishChunks(this.#control, kernel.address, count);
    Atomics.add(words, controlWords.batch, 1);
    Atomics.notify(words, controlWords.batch, count - 1);
    kernel.claimChunks(this.#control, kernel.address);
    for (let i = 0; i < spinIterations; i += 1)
      if (Atomics.load(words, controlWords.pending) === 0) return;
    this.#waitForWorkers();
  }

  /** Sleeps until workers have finished the chunks that they claimed: a worker without a free core can use this one. */
  #waitForWorkers(): void {
    const words = this.#words;
    const mayBlock = canBlock();
    let lastProgress = performance.now();
    let pending = Atomics.load(words, controlWords.pending);
    while (pending !== 0) {
      if (mayBlock) Atomics.wait(words, controlWords.pending, pending, this.#timeoutMs);
      const now = Atomics.load(words, controlWords.pending);
      if (now !== pending) lastProgress = performance.now();
      else if (performance.now() - lastProgress >= this.#timeoutMs) this.#abandonBatch(pending);
      pending = now;
    }
  }

  #abandonBatch(pending: number): never {
    this.dispose();
    this.#diagnostics.push("One thread: a worker was lost during a step.");
    throw new GradstepError(
      `A worker thread did not finish its chunks of a step within ${this.#timeoutMs} ms. The step is incomplete: ` +
        `${pending} of its chunks may be partly updated. Restore parameters and state from an earlier step; the backend ` +
        `continues with one thread.`,
      { code: "WORKER_LOST" },
    );
  }

  #lose(index: number, reason: string): void {
    if (this.#isDisposed || this.#lostWorkers.has(index)) return;
    this.#lostWorkers.add(index);
    this.#workers.delete(index);
    if (Atomics.load(this.#words, controlWords.started + index) === 1)
      this.#pendingError ??= reason;
    else
      this.#diagnostics.push(
        `A worker did not start, which leaves ${this.workers + 1} threads: ${reason}.`,
      );
  }

  /** Ends the workers. */
  dispose(): void {
    this.#isDisposed = true;
    for (const worker of this.#workers.values()) worker.terminate();
    this.#workers.clear();
  }
}
