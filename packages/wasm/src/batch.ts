import type { Update, Variant } from "@gradstep/core";
import { rowLength } from "./emit-wasm.js";
import type { Heap } from "./heap.js";
import { chunkLength } from "./meeting.js";
import type { WasmTensor } from "./wasm-tensor.js";

/** Elements in a chunk: enough to outweigh claiming it, few enough that nobody waits long for the last one. */
const elementsInChunk = 16384;

/** A growing part of a heap, seen as i32 and f32 cells. */
class Table {
  address = 0;
  words = new Int32Array(0);
  floats = new Float32Array(0);
  #capacity = 0;
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Makes room for so many cells. Returns whether what they held is still there. */
  reserve(cells: number): boolean {
    const isKept = cells <= this.#capacity;
    if (!isKept) {
      const capacity = Math.max(cells, 2 * this.#capacity);
      const address = this.#heap.allocate(4 * capacity);
      if (this.address !== 0) this.#heap.free(this.address);
      this.address = address;
      this.#capacity = capacity;
      this.words = new Int32Array(0);
    }
    // Growth of an unshared memory detaches views; a shared one's go on showing the same bytes.
    if (this.words.length === 0) {
      const { buffer } = this.#heap.memory;
      this.words = new Int32Array(buffer, this.address, this.#capacity);
      this.floats = new Float32Array(buffer, this.address, this.#capacity);
    }
    return isKept;
  }
}

/**
 * The tensors of a step as kernels read them, in wasm memory: a row for each, and for threads the chunks into which
 * they are divided. One for a backend, because runs come one after the other.
 */
export class Batch {
  readonly #rows: Table;
  readonly #chunks: Table;
  /** Whose scalars lie where, for this run: the groups of an optimizer, each with one array. */
  readonly #groups: Float64Array[] = [];
  #groupCount = 0;
  #rowCells = 0;
  #rowCount = 0;
  #isDivided = false;
  /** Elements in all rows. */
  elements = 0;
  /** Chunks after `divide`. */
  chunks = 0;

  constructor(heap: Heap) {
    this.#rows = new Table(heap);
    this.#chunks = new Table(heap);
  }

  /** Address of the first row. */
  get rows(): number {
    return this.#rows.address;
  }

  /** Address after the last chunk. */
  get chunksEnd(): number {
    return this.#chunks.address + 4 * chunkLength * this.chunks;
  }

  /** Writes the rows of the first `count` updates. Nothing is allocated unless there are more than ever before. */
  fill(variant: Variant, updates: readonly Update[], count: number): void {
    const slots = variant.slots.length;
    const scalars = variant.scalars.length;
    const cells = rowLength(variant);
    // The scalars come after the rows: there are at most as many groups.
    const isKept = this.#rows.reserve((cells + scalars) * count);
    const { words, address } = this.#rows;
    const scalarsAt = cells * count;
    this.#groupCount = 0;
    let group = 0;
    let isSame = isKept && this.#isDivided && cells === this.#rowCells && count === this.#rowCount;
    let elements = 0;
    let cell = 0;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const { size } = update.parameter;
      elements += size;
      isSame &&= words[cell] === size;
      words[cell] = size;
      words[cell + 1] = (update.parameter as WasmTensor).address;
      words[cell + 2] = (update.gradient as WasmTensor).address;
      cell += 3;
      for (let j = 0; j < slots; j += 1) words[cell + j] = (update.slots[j] as WasmTensor).address;
      cell += slots;
      if (group >= this.#groupCount || this.#groups[group] !== update.scalars)
        group = this.#groupOf(update.scalars, group, scalarsAt);
      words[cell] = address + 4 * (scalarsAt + scalars * group);
      cell += 1;
    }
    this.#isDivided = isSame && elements === this.elements;
    this.#rowCells = cells;
    this.#rowCount = count;
    this.elements = elements;
  }

  /** The number of a group, whose scalars are written when they first come. Groups often take turns. */
  #groupOf(scalars: Float64Array, last: number, scalarsAt: number): number {
    const groups = this.#groups;
    const count = this.#groupCount;
    for (let i = 1; i < count; i += 1) {
      const group = (last + i) % count;
      if (groups[group] === scalars) return group;
    }
    groups[count] = scalars;
    this.#groupCount = count + 1;
    const { floats } = this.#rows;
    const cell = scalarsAt + count * scalars.length;
    for (let i = 0; i < scalars.length; i += 1) floats[cell + i] = scalars[i];
    return count;
  }

  /** Divides all rows into chunks. Done once for the same sizes. */
  divide(count: number): void {
    if (this.#isDivided) return;
    const rows = this.#rows.words;
    let total = 0;
    for (let i = 0; i < count; i += 1)
      total += Math.ceil(rows[i * this.#rowCells] / elementsInChunk);
    this.#chunks.reserve(chunkLength * total);
    const chunks = this.#chunks.words;
    let cell = 0;
    for (let i = 0; i < count; i += 1) {
      const size = rows[i * this.#rowCells];
      for (let start = 0; start < size; start += elementsInChunk) {
        chunks[cell] = this.rows + 4 * i * this.#rowCells;
        chunks[cell + 1] = start;
        chunks[cell + 2] = Math.min(size, start + elementsInChunk);
        cell += chunkLength;
      }
    }
    this.chunks = total;
    this.#isDivided = true;
  }
}
