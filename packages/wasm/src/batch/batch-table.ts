import type { Update, Variant } from "@gradstep/core";
import type { Heap } from "../memory/growable-heap.js";
import { rowLength } from "../memory/layout.js";
import { Runs } from "./row-ranges.js";
import { Table } from "../memory/growable-buffer.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";

/**
 * The tensors of a step as kernels read them, in wasm memory: a row for each. One for a backend, because runs come one
 * after the other.
 */
export class Batch {
  readonly #rows: Table;
  /** Made when the first mask comes. */
  #runs: Runs | undefined;
  readonly #heap: Heap;
  /** Whose scalars lie where, for this run: the groups of an optimizer, each with one array. */
  readonly #groups: Float64Array[] = [];
  #groupCount = 0;
  #rowCells = 0;
  #rowCount = 0;
  /** Whether the rows are all of one `fill` without masks. */
  #isWhole = false;
  /** Whose rows they are then, as long as the tensors lie where they lay. */
  #updates: readonly Update[] | undefined;
  #variant: Variant | undefined;
  /** Elements in all rows. */
  elements = 0;
  /** Another number where the rows lie elsewhere or have other lengths than before. */
  layout = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#rows = new Table(heap);
  }

  /** Address of the first row. */
  get rows(): number {
    return this.#rows.address;
  }

  /** How many rows there are. */
  get count(): number {
    return this.#rowCount;
  }

  /** Cells in each row, of which the first is the number of elements. */
  get rowCells(): number {
    return this.#rowCells;
  }

  /** The rows, as cells. */
  get words(): Int32Array {
    return this.#rows.words;
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
    this.#updates = undefined;
    const isKept = this.#rows.reserve((cells + scalars) * count);
    const { words, address } = this.#rows;
    const scalarsAt = cells * count;
    this.#groupCount = 0;
    let group = 0;
    let isSame = isKept && this.#isWhole && cells === this.#rowCells && count === this.#rowCount;
    this.#isWhole = false;
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
    this.#isWhole = true;
    this.#updates = updates;
    this.#variant = variant;
    if (!isSame) this.layout += 1;
    this.#rowCells = cells;
    this.#rowCount = count;
    this.elements = elements;
  }

  /** Whether the rows are still what `fill` made of these updates, but for the scalars. */
  holds(variant: Variant, updates: readonly Update[]): boolean {
    return this.#updates === updates && this.#variant === variant;
  }

  /** Says that a tensor no longer lies where it lay, or is of another size. */
  forget(): void {
    this.#updates = undefined;
  }

  /** Writes the scalars of rows without masks anew. */
  refresh(): void {
    // Where the memory has grown, the table is seen anew.
    if (this.#rows.floats.length === 0) this.#rows.reserve(0);
    let cell = this.#rowCells * this.#rowCount;
    for (let i = 0; i < this.#groupCount; i += 1) cell = this.#write(this.#groups[i], cell);
  }

  /** As `fill`, with a row for each run of rows of a parameter that its mask treats alike. */
  #fillRuns(variant: Variant, updates: readonly Update[], count: number): void {
    this.#isWhole = false;
    this.#updates = undefined;
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
    this.layout += 1;
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
    this.#write(scalars, scalarsAt + count * scalars.length);
    return count;
  }

  /** Writes scalars from this cell on; returns the one after them. */
  #write(scalars: Float64Array, cell: number): number {
    const { floats } = this.#rows;
    for (let i = 0; i < scalars.length; i += 1) floats[cell + i] = scalars[i];
    return cell + scalars.length;
  }
}
