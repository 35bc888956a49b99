import type { BatchTable } from "../planning/batch-table.js";
import { GrowableBuffer } from "../memory/growable-buffer.js";
import type { Heap } from "../memory/heap.js";
import { chunkWords } from "../memory/batch-layout.js";

/** Elements per chunk: enough to outweigh the cost of a claim, few enough that the last chunk does not delay a step. */
export const chunkSize = 16384;

/** The chunks of a batch, which threads claim, in wasm memory. */
export class ChunkTable {
  readonly #buffer: GrowableBuffer;
  readonly #batch: BatchTable;
  /** The layout version of the batch that was divided. */
  #layoutVersion = -1;
  #count = 0;

  constructor(heap: Heap, batch: BatchTable) {
    this.#buffer = new GrowableBuffer(heap);
    this.#batch = batch;
  }

  /** The number of chunks. */
  get count(): number {
    return this.#count;
  }

  /** Address of the end of the table. */
  get end(): number {
    return this.#buffer.address + 4 * chunkWords * this.#count;
  }

  /**
   * Divides the entries of the batch into chunks. Does nothing if the layout of the batch is unchanged.
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  divide(): void {
    const { address, words, entryWords, count, layoutVersion } = this.#batch;
    if (layoutVersion === this.#layoutVersion) return;
    let total = 0;
    for (let i = 0; i < count; i += 1) total += Math.ceil(words[i * entryWords] / chunkSize);
    this.#buffer.reserve(chunkWords * total);
    const chunks = this.#buffer.words;
    let word = 0;
    for (let i = 0; i < count; i += 1) {
      const size = words[i * entryWords];
      for (let start = 0; start < size; start += chunkSize) {
        chunks[word] = address + 4 * i * entryWords;
        chunks[word + 1] = start;
        chunks[word + 2] = Math.min(size, start + chunkSize);
        word += chunkWords;
      }
    }
    this.#count = total;
    this.#layoutVersion = layoutVersion;
  }
}
