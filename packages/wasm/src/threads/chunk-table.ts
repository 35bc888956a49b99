import type { Batch } from "../batch/batch-table.js";
import type { Heap } from "../memory/growable-heap.js";
import { chunkLength } from "../memory/layout.js";
import { Table } from "../memory/growable-buffer.js";

/** Elements in a chunk: enough to outweigh claiming it, few enough that nobody waits long for the last one. */
const elementsInChunk = 16384;

/** The parts of a batch that threads claim, in wasm memory. */
export class Chunks {
  readonly #table: Table;
  readonly #batch: Batch;
  /** The layout that was divided. */
  #layout = -1;
  /** How many there are. */
  count = 0;

  constructor(heap: Heap, batch: Batch) {
    this.#table = new Table(heap);
    this.#batch = batch;
  }

  /** Address after the last chunk. */
  get end(): number {
    return this.#table.address + 4 * chunkLength * this.count;
  }

  /** Divides all rows. Done once for the same layout. */
  divide(): void {
    const { rows, words, rowCells, count, layout } = this.#batch;
    if (layout === this.#layout) return;
    let total = 0;
    for (let i = 0; i < count; i += 1) total += Math.ceil(words[i * rowCells] / elementsInChunk);
    this.#table.reserve(chunkLength * total);
    const chunks = this.#table.words;
    let cell = 0;
    for (let i = 0; i < count; i += 1) {
      const size = words[i * rowCells];
      for (let start = 0; start < size; start += elementsInChunk) {
        chunks[cell] = rows + 4 * i * rowCells;
        chunks[cell + 1] = start;
        chunks[cell + 2] = Math.min(size, start + elementsInChunk);
        cell += chunkLength;
      }
    }
    this.count = total;
    this.#layout = layout;
  }
}
