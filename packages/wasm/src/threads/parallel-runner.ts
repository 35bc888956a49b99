import type { Variant } from "@gradstep/core";
import type { BatchTable } from "../planning/batch-table.js";
import { instantiateKernels, type RunKernel } from "../codegen/instantiate.js";
import type { Heap } from "../memory/heap.js";
import { ChunkTable } from "./chunk-table.js";
import { ThreadCountTuner } from "./thread-count-tuner.js";
import { threadedKernelModule } from "./threaded-kernel-module.js";
import { WorkerPool, type ThreadedKernel, type WorkerPoolOptions } from "./worker-pool.js";

/** With fewer elements a step ends before the workers are awake. */
const defaultThreshold = 65_536;

/** Options of a parallel runner. */
export interface ParallelOptions extends WorkerPoolOptions {
  /** From this many elements on, every batch runs on all threads. Undefined: large ones do when that is faster. */
  readonly parallelThreshold: number | undefined;
}

/** Runs the batch of a backend on several threads. */
export class ParallelRunner {
  readonly #heap: Heap;
  readonly #batch: BatchTable;
  readonly #chunks: ChunkTable;
  readonly #pool: WorkerPool;
  readonly #threshold: number | undefined;

  /** Starts the workers. @throws {GradstepError} `OUT_OF_MEMORY` */
  constructor(heap: Heap, batch: BatchTable, options: ParallelOptions) {
    this.#heap = heap;
    this.#batch = batch;
    this.#chunks = new ChunkTable(heap, batch);
    this.#pool = new WorkerPool(heap, options);
    this.#threshold = options.parallelThreshold;
  }

  get diagnostics(): readonly string[] {
    return this.#pool.diagnostics;
  }

  /** @throws {GradstepError} `WORKER_LOST`, once per lost worker */
  throwPendingError(): void {
    this.#pool.throwPendingError();
  }

  /**
   * Compiles a variant.
   *
   * @returns a function that runs the entries of the batch: on all threads if there are enough elements, and if that is
   * faster
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  compile(variant: Variant): () => void {
    const bytes = threadedKernelModule(variant);
    const exports = instantiateKernels(bytes, this.#heap.memory, variant.rule);
    const address = this.#heap.allocate(4 + bytes.length);
    const { buffer } = this.#heap.memory;
    new Int32Array(buffer, address, 1)[0] = bytes.length;
    new Uint8Array(buffer, address + 4, bytes.length).set(bytes);
    const { publishChunks, claimChunks } = exports as unknown as ThreadedKernel;
    return this.#runner(exports[variant.perElement.fingerprint] as RunKernel, {
      address,
      publishChunks,
      claimChunks,
    });
  }

  #runner(run: RunKernel, kernel: ThreadedKernel): () => void {
    const batch = this.#batch;
    const chunks = this.#chunks;
    const pool = this.#pool;
    const threshold = this.#threshold;
    /** By the logarithm of the batch size: what is faster for large batches can be slower for small ones. */
    const tuners: ThreadCountTuner[] = [];
    return () => {
      if (batch.elements < (threshold ?? defaultThreshold) || pool.workers === 0) {
        run(batch.address, batch.count);
        return;
      }
      // Also if this batch runs on one thread: the step that repeats it must not fail for lack of memory.
      chunks.divide();
      if (threshold !== undefined) {
        pool.run(kernel, chunks);
        return;
      }
      const tuner = (tuners[Math.clz32(batch.elements)] ??= new ThreadCountTuner());
      const isParallel = tuner.begin();
      if (isParallel) pool.run(kernel, chunks);
      else run(batch.address, batch.count);
      tuner.end(isParallel, batch.elements);
    };
  }

  /** Ends the workers. */
  dispose(): void {
    this.#pool.dispose();
  }
}
