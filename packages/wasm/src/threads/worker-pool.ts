import { GradstepError } from "@gradstep/core";
import type { Chunks } from "./chunk-table.js";
import type { Heap } from "../memory/growable-heap.js";
import { meeting } from "./control-block.js";
import { maySleep, startWorker, words, type Thread } from "./worker.js";

/** Functions of a module that was made for threads. */
export interface SharedKernel {
  /** Address of the module in the memory: `[length, …bytes]`. */
  readonly address: number;
  readonly open: (at: number, kernel: number, count: number) => void;
  readonly share: (at: number, kernel: number) => void;
}

/** What can be set about a crew. */
export interface CrewOptions {
  readonly threads: number;
  readonly workerUrl?: string | URL | undefined;
  /** Milliseconds without any progress after which a worker is given up. */
  readonly patience?: number;
  readonly start?: typeof startWorker;
}

/** Looks at the last chunks before going to sleep, about 20 µs: less than falling asleep and waking up takes. */
const spins = 4000;

/**
 * Threads that work through the chunks of a batch together with the caller. Nobody is given a part: each claims a chunk
 * at a time, so that a worker that comes late, or not at all, leaves its share to the others.
 */
export class Crew {
  /** Things to know, for people; grows when a worker does not start. */
  readonly diagnostics: string[] = [];
  readonly #at: number;
  readonly #cells: Int32Array;
  readonly #workers = new Map<number, Thread>();
  /** Those that were lost: a host may say so more than once. */
  readonly #gone = new Set<number>();
  readonly #patience: number;
  #lost: string | undefined;
  #disposed = false;

  constructor(heap: Heap, options: CrewOptions) {
    const { threads, workerUrl, patience = 10_000, start = startWorker } = options;
    const { memory } = heap;
    this.#patience = patience;
    this.#at = heap.allocate(meeting.byteLength);
    this.#cells = new Int32Array(memory.buffer, this.#at, meeting.byteLength / 4);
    for (let index = 0; index < threads - 1; index += 1) {
      const onLost = (reason: string): void => this.#lose(index, reason);
      try {
        const data = { memory, at: this.#at, index };
        const worker = start(data, workerUrl, onLost);
        if (!this.#gone.has(index)) this.#workers.set(index, worker);
      } catch (error) {
        onLost(String(error));
      }
    }
  }

  /** Workers that have not been lost. */
  get workers(): number {
    return this.#workers.size;
  }

  /**
   * Says once that a worker was lost since the last batch.
   * @throws {GradstepError} `WORKER_LOST`
   */
  check(): void {
    const reason = this.#lost;
    if (reason === undefined) return;
    this.#lost = undefined;
    throw new GradstepError(
      `A worker thread ended between two steps: ${reason}. Every step so far was finished, and this one has changed ` +
        `nothing. Call step again: it goes on with ${this.workers + 1} threads.`,
      { code: "WORKER_LOST" },
    );
  }

  /** Runs a batch that was divided. @throws {GradstepError} `WORKER_LOST`: then the batch is unfinished */
  run(kernel: SharedKernel, chunks: Chunks): void {
    const cells = this.#cells;
    const { count } = chunks;
    cells[words.chunksEnd] = chunks.end;
    kernel.open(this.#at, kernel.address, count);
    Atomics.add(cells, words.batch, 1);
    Atomics.notify(cells, words.batch, count - 1);
    kernel.share(this.#at, kernel.address);
    for (let i = 0; i < spins; i += 1) if (Atomics.load(cells, words.undone) === 0) return;
    this.#wait();
  }

  /** Waits for the chunks that others have claimed: asleep, so that a worker without a core of its own gets this one. */
  #wait(): void {
    const cells = this.#cells;
    const sleeps = maySleep();
    let since = performance.now();
    let left = Atomics.load(cells, words.undone);
    while (left !== 0) {
      if (sleeps) Atomics.wait(cells, words.undone, left, this.#patience);
      const now = Atomics.load(cells, words.undone);
      if (now !== left) since = performance.now();
      else if (performance.now() - since >= this.#patience) this.#giveUp(left);
      left = now;
    }
  }

  #giveUp(left: number): never {
    this.dispose();
    this.diagnostics.push("One thread: a worker was lost in the middle of a step.");
    throw new GradstepError(
      `A worker thread did not finish its part of a step within ${this.#patience} ms. The step was not finished: ` +
        `${left} of its chunks may be updated in part. Restore parameters and state from before; the backend goes on ` +
        `with one thread.`,
      { code: "WORKER_LOST" },
    );
  }

  #lose(index: number, reason: string): void {
    if (this.#disposed || this.#gone.has(index)) return;
    this.#gone.add(index);
    this.#workers.delete(index);
    if (Atomics.load(this.#cells, words.arrived + index) === 1) this.#lost ??= reason;
    else
      this.diagnostics.push(
        `A worker did not start, which leaves ${this.workers + 1} threads: ${reason}.`,
      );
  }

  /** Ends the workers. */
  dispose(): void {
    this.#disposed = true;
    for (const worker of this.#workers.values()) void worker.terminate();
    this.#workers.clear();
  }
}
