import { endOfRun, type Update, type Variant } from "@gradstep/core";
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
  /** Zeros, and parameters that stay as they are: what rows without a gradient are updated with. */
  readonly #zeros: Table;
  readonly #unused: Table;
  #rowCells = 0;
  #isDivided = false;
  /** Rows after `fill`. */
  count = 0;
  /** Elements in all rows. */
  elements = 0;
  /** Chunks after `divide`. */
  chunks = 0;

  constructor(heap: Heap) {
    this.#rows = new Table(heap);
    this.#chunks = new Table(heap);
    this.#zeros = new Table(heap);
    this.#unused = new Table(heap);
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
    for (let i = 0; i < count; i += 1) {
      if (updates[i].mask !== undefined) return this.#fillRuns(variant, updates, count);
    }
    this.count = count;
    const slots = variant.slots.length;
    const scalars = variant.scalars.length;
    const cells = rowLength(variant);
    const isKept = this.#rows.reserve(cells * count);
    const { words, floats } = this.#rows;
    let isSame = isKept && this.#isDivided && cells === this.#rowCells;
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
      for (let j = 0; j < scalars; j += 1) floats[cell + j] = update.scalars[j];
      cell += scalars;
    }
    this.#isDivided = isSame && elements === this.elements;
    this.#rowCells = cells;
    this.elements = elements;
  }

  /** As `fill`, with a row for each run of rows of the parameters that a mask treats alike. */
  #fillRuns(variant: Variant, updates: readonly Update[], count: number): void {
    let runs = 0;
    let longest = 0;
    let left = 0;
    for (let i = 0; i < count; i += 1) {
      const { parameter, mask, others } = updates[i];
      const rows = mask as Uint32Array | undefined;
      const length = parameter.size / (rows?.length ?? 1);
      if (rows === undefined) runs += 1;
      else
        for (let first = 0, next = 0; first < rows.length; first = next) {
          next = endOfRun(rows, first);
          const isStepped = rows[first] !== 0;
          if (isStepped || others !== "keep") runs += 1;
          if (isStepped || others === "keep") continue;
          longest = Math.max(longest, (next - first) * length);
          if (others === "decay") left += (next - first) * length;
        }
    }
    const cells = rowLength(variant);
    // All of them, before the first is written to: each may make the memory grow.
    this.#zeros.reserve(longest);
    this.#unused.reserve(left);
    this.#rows.reserve(cells * runs);
    this.#zeros.reserve(longest);
    this.#unused.reserve(left);
    this.#zeros.floats.fill(0, 0, longest);
    this.#rowCells = cells;
    this.#isDivided = false;
    this.count = 0;
    this.elements = 0;
    left = 0;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const { size } = update.parameter;
      const rows = update.mask as Uint32Array | undefined;
      const length = size / (rows?.length ?? 1);
      const p = (update.parameter as WasmTensor).address;
      const g = (update.gradient as WasmTensor).address;
      if (rows === undefined) this.#writeRow(variant, update, 0, size, p, g);
      else
        for (let first = 0, next = 0; first < rows.length; first = next) {
          next = endOfRun(rows, first);
          const start = first * length;
          const end = next * length;
          if (rows[first] !== 0)
            this.#writeRow(variant, update, start, end, p + 4 * start, g + 4 * start);
          else if (update.others === "zero")
            this.#writeRow(variant, update, start, end, p + 4 * start, this.#zeros.address);
          else if (update.others === "decay") {
            const values = (update.parameter as WasmTensor).view();
            for (let k = start; k < end; k += 1) this.#unused.floats[left + k - start] = values[k];
            const unused = this.#unused.address + 4 * left;
            this.#writeRow(variant, update, start, end, unused, this.#zeros.address);
            left += end - start;
          }
        }
    }
  }

  /** Appends the row of a range of an update's elements, whose `p` and `g` are at these addresses. */
  #writeRow(
    { slots, scalars }: Variant,
    update: Update,
    start: number,
    end: number,
    p: number,
    g: number,
  ): void {
    const { words, floats } = this.#rows;
    let cell = this.count * this.#rowCells;
    words[cell] = end - start;
    words[cell + 1] = p;
    words[cell + 2] = g;
    cell += 3;
    for (let j = 0; j < slots.length; j += 1)
      words[cell + j] = (update.slots[j] as WasmTensor).address + 4 * start;
    cell += slots.length;
    for (let j = 0; j < scalars.length; j += 1) floats[cell + j] = update.scalars[j];
    this.count += 1;
    this.elements += end - start;
  }

  /** Divides all rows into chunks. Done once for the same sizes. */
  divide(): void {
    if (this.#isDivided) return;
    const { count } = this;
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
