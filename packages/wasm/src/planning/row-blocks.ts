import { prefetchModule, prefetchName, type Prefetch } from "../codegen/prefetch.js";
import { instantiate, type RunKernel } from "../codegen/instantiate.js";
import { isSharedMemory, type Heap } from "../memory/heap.js";
import type { BatchTable } from "./batch-table.js";

/** Elements per block: their arrays fit into the L2 cache. */
const blockSize = 16384;

/** With fewer entries, the calls cost more than the loads save. */
const minEntries = 64;

/** Runs kernels on batches of many rows: in blocks, whose memory is loaded into the cache before. */
export class RowBlocks {
  readonly #heap: Heap;
  readonly #batch: BatchTable;
  #prefetch: Prefetch | "unavailable" | undefined;

  constructor(heap: Heap, batch: BatchTable) {
    this.#heap = heap;
    this.#batch = batch;
  }

  /** Runs a kernel on all entries of the batch, on this thread. */
  run(kernel: RunKernel): void {
    const { address, count, elements, entryWords, hasRows } = this.#batch;
    const length = Math.floor((blockSize * count) / elements);
    // Longer rows are loaded ahead by the processor itself.
    if (!hasRows || count < minEntries || length < minEntries) {
      kernel(address, count);
      return;
    }
    const prefetch = (this.#prefetch ??= this.#compile());
    if (prefetch === "unavailable") {
      kernel(address, count);
      return;
    }
    const entryBytes = 4 * entryWords;
    for (let first = 0; first < count; first += length) {
      const entries = Math.min(length, count - first);
      const start = address + entryBytes * first;
      prefetch(start, start + entryBytes * entries, entryBytes);
      kernel(start, entries);
    }
  }

  #compile(): Prefetch | "unavailable" {
    const { memory } = this.#heap;
    try {
      const module = new WebAssembly.Module(prefetchModule({ shared: isSharedMemory(memory) }));
      return instantiate(module, memory)[prefetchName] as Prefetch;
    } catch {
      // A host that forbids compiling at run time: rows are updated all the same.
      return "unavailable";
    }
  }
}
