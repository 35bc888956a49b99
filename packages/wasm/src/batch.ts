import type { Update, Variant } from "@gradstep/core";
import { rowLength } from "./emit-wasm.js";
import type { Heap } from "./heap.js";
import { chunkLength } from "./meeting.js";
import { Runs } from "./runs.js";
import { Table } from "./table.js";
import type { WasmTensor } from "./wasm-tensor.js";

/** Elements in a chunk: enough to outweigh claiming it, few enough that nobody waits long for the last one. */
const elementsInChunk = 16384;

/**
 * The tensors of a step as kernels read them, in wasm memory: a row for each, and for threads the chunks into which
 * they are divided. One for a backend, because runs come one after the other.
 */
export class Batch {
  readonly #rows: Table;
  readonly #chunks: Table;
  /** Made when the first mask comes. */
  #runs: Runs | undefined;
  readonly #heap: Heap;
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
    this.#heap = heap;
    this.#rows = new Table(heap);
    this.#chunks = new Table(heap);
  }

  /** Address of the first row. */
  get rows(): number {
    return this.#rows.address;
  }

  /** How many rows there are. */
  get count(): number {
    return this.#rowCount;
  }

  /** Address after the last chunk. */
  get chunksEnd(): number {
    return this.#chunks.address + 4 * chunkLength * this.chunks;
  }

  /** Writes the rows of the first `count` updates. Nothing is allocated unless there are more than ever before. */
  fill(variant: Variant, updates: readonly Update[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      if (updates[i].mask !== undefined) {
        this.#fillRuns(variant, updates, count);
        return;
      }
    }
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

  /** As `fill`, with a row for each run of rows of a parameter that its mask treats alike. */
  #fillRuns(variant: Variant, updates: readonly Update[], count: number): void {
    const runs = (this.#runs ??= new Runs(this.#heap));
    runs.collect(updates, count);
    const slots = variant.slots.length;
    const scalars = variant.scalars.length;
    const cells = rowLength(variant);
    this.#rows.reserve(cells * runs.count + scalars * count);
    runs.fill(updates);
    const { words, address } = this.#rows;
    const scalarsAt = cells * runs.count;
    this.#groupCount = 0;
    this.elements = 0;
    let cell = 0;
    for (let i = 0; i < runs.count; i += 1) {
      const update = updates[runs.updates[i]];
      const start = runs.starts[i];
      const size = runs.ends[i] - start;
      words[cell] = size;
      words[cell + 1] = runs.parameters[i];
      words[cell + 2] = runs.gradients[i];
      cell += 3;
      for (let j = 0; j < slots; j += 1)
        words[cell + j] = (update.slots[j] as WasmTensor).address + 4 * start;
      cell += slots;
      words[cell] =
        address + 4 * (scalarsAt + scalars * this.#groupOf(update.scalars, 0, scalarsAt));
      cell += 1;
      this.elements += size;
    }
    this.#isDivided = false;
    this.#rowCells = cells;
    this.#rowCount = runs.count;
  }

  /** The number of a group, whose scalars are written when they first come. Groups often take turns. */
  #groupOf(scalars: Float64Array, last: number, scalarsAt: number): number {
    const groups = this.#groups;
    const count = this.#groupCount;
    for (let i = 0; i < count; i += 1) {
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
  divide(): void {
    if (this.#isDivided) return;
    const count = this.#rowCount;
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
