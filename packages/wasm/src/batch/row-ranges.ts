import { endOfRun, type Update } from "@gradstep/core";
import type { Heap } from "../memory/growable-heap.js";
import { Table } from "../memory/growable-buffer.js";
import type { WasmTensor } from "../memory/wasm-tensor.js";

/**
 * The updates of a step whose parameters have masks, as ranges of elements that a kernel treats alike. Rows that have
 * no gradient are updated with zeros; parameters that stay as they are, beside themselves.
 *
 * Its arrays grow to the most runs that there were and are then filled anew.
 */
export class Runs {
  /** How many there are. */
  count = 0;
  /** The update of each, by its place in the step. */
  readonly updates: number[] = [];
  /** Elements of the update: the first, and that behind the last. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Addresses of what stands for `p` and `g` from the first element on. */
  readonly parameters: number[] = [];
  readonly gradients: number[] = [];
  readonly #zeros: Table;
  readonly #unused: Table;
  /** Elements of the longest run with a gradient of 0, and of all whose parameters stay. */
  #longest = 0;
  #staying = 0;

  constructor(heap: Heap) {
    this.#zeros = new Table(heap);
    this.#unused = new Table(heap);
  }

  /** Finds the runs of the first `count` updates, and makes room for what they need. */
  collect(updates: readonly Update[], count: number): void {
    this.count = 0;
    this.#longest = 0;
    this.#staying = 0;
    for (let i = 0; i < count; i += 1) {
      const { parameter, mask, unselectedRows } = updates[i];
      if (mask === undefined) {
        this.#add(i, 0, parameter.size);
        continue;
      }
      const rows = mask as Uint32Array;
      const length = parameter.size / rows.length;
      for (let first = 0, next = 0; first < rows.length; first = next) {
        next = endOfRun(rows, first);
        const isStepped = rows[first] !== 0;
        if (!isStepped && unselectedRows === "keep") continue;
        this.#add(i, first * length, next * length);
        if (isStepped) continue;
        this.#longest = Math.max(this.#longest, (next - first) * length);
        if (unselectedRows === "decay") this.#staying += (next - first) * length;
      }
    }
    this.#zeros.reserve(this.#longest);
    this.#unused.reserve(this.#staying);
  }

  /** Finds the addresses. Nothing may be allocated between this and the run. */
  fill(updates: readonly Update[]): void {
    // Once more: room for other things may have moved the memory away under the tables.
    this.#zeros.reserve(this.#longest);
    this.#unused.reserve(this.#staying);
    this.#zeros.floats.fill(0, 0, this.#longest);
    let place = 0;
    for (let i = 0; i < this.count; i += 1) {
      const { parameter, gradient, mask, unselectedRows } = updates[this.updates[i]];
      const start = this.starts[i];
      const end = this.ends[i];
      const rows = mask as Uint32Array | undefined;
      const row = rows === undefined ? 0 : (start * rows.length) / parameter.size;
      const isStepped = rows === undefined || rows[row] !== 0;
      this.parameters[i] = (parameter as WasmTensor).address + 4 * start;
      this.gradients[i] = isStepped
        ? (gradient as WasmTensor).address + 4 * start
        : this.#zeros.address;
      if (isStepped || unselectedRows !== "decay") continue;
      const values = (parameter as WasmTensor).view();
      const unused = this.#unused.floats;
      for (let k = start; k < end; k += 1) unused[place + k - start] = values[k];
      this.parameters[i] = this.#unused.address + 4 * place;
      place += end - start;
    }
  }

  #add(update: number, start: number, end: number): void {
    this.updates[this.count] = update;
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count += 1;
  }
}
