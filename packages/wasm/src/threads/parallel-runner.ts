import type { Variant } from "@gradstep/core";
import type { BatchTable } from "../planning/batch-table.js";
import {
  compileModule,
  instantiate,
  type Exports,
  type RunKernel,
} from "../codegen/instantiate.js";
import type { Heap } from "../memory/heap.js";
import type { RowBlocks } from "../planning/row-blocks.js";
import { ChunkTable } from "./chunk-table.js";
import { ThreadCountTuner } from "./thread-count-tuner.js";
import type { RunRanges } from "../passes/pass-runner.js";
import type { PassKernel } from "../planning/pass-plan.js";
import { threadedKernelModule, threadedPassModule } from "./threaded-kernel-module.js";
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
   * @param rows runs batches that are too small for several threads
   * @returns a function that runs the entries of the batch: on all threads if there are enough elements, and if that is
   * faster
   * @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED`
   */
  compile(variant: Variant, rows: RowBlocks): () => void {
    const bytes = threadedKernelModule(variant);
    const { exports, kernel } = this.#load(bytes, variant.rule);
    const run = exports[variant.perElement.fingerprint] as RunKernel;
    const batch = this.#batch;
    const chunks = this.#chunks;
    const runOn = this.#chooser();
    return () => {
      if (!this.#isLarge(batch.elements)) {
        rows.run(run);
        return;
      }
      // Also if this batch runs on one thread: the step that repeats it must not fail for lack of memory.
      chunks.divide();
      if (!runOn.begin(batch.elements)) rows.run(run);
      else this.#pool.run(kernel, chunks);
      runOn.end();
    };
  }

  /** Compiles a kernel of a pass. @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED` */
  readonly compilePass = (pass: PassKernel): RunRanges => {
    const { exports, kernel } = this.#load(threadedPassModule(pass), pass.name);
    const run = exports[pass.name] as RunKernel;
    const runOn = this.#chooser();
    return (ranges) => {
      if (!ranges.isDivisible || !this.#isLarge(ranges.values)) {
        run(ranges.address, ranges.count);
        return;
      }
      if (!runOn.begin(ranges.values)) run(ranges.address, ranges.count);
      else this.#pool.run(kernel, ranges);
      runOn.end();
    };
  };

  /** Instantiates a module, and stores it where the workers find it. */
  #load(
    bytes: Uint8Array<ArrayBuffer>,
    rule: string,
  ): { exports: Exports; kernel: ThreadedKernel } {
    const exports = instantiate(compileModule(bytes, rule), this.#heap.memory);
    const address = this.#heap.allocate(4 + bytes.length);
    const { buffer } = this.#heap.memory;
    new Int32Array(buffer, address, 1)[0] = bytes.length;
    new Uint8Array(buffer, address + 4, bytes.length).set(bytes);
    const { publishChunks, claimChunks } = exports as unknown as ThreadedKernel;
    return { exports, kernel: { address, publishChunks, claimChunks } };
  }

  #isLarge(elements: number): boolean {
    return elements >= (this.#threshold ?? defaultThreshold) && this.#pool.workers > 0;
  }

  /** Chooses, for batches that are large, between all threads and one. */
  #chooser(): { begin(elements: number): boolean; end(): void } {
    /** By the logarithm of the batch size: what is faster for large batches can be slower for small ones. */
    const tuners: ThreadCountTuner[] = [];
    const isTuned = this.#threshold === undefined;
    let tuner: ThreadCountTuner;
    let isParallel = true;
    let size = 0;
    return {
      begin(elements) {
        if (!isTuned) return true;
        tuner = tuners[Math.clz32(elements)] ??= new ThreadCountTuner();
        size = elements;
        isParallel = tuner.begin();
        return isParallel;
      },
      end() {
        if (isTuned) tuner.end(isParallel, size);
      },
    };
  }

  /** Ends the workers. */
  dispose(): void {
    this.#pool.dispose();
  }
}
