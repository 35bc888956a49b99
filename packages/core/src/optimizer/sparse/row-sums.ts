import type { Values } from "../../backend/backend.js";

/**
 * Finds the different rows among indices, and sums the values of each. Time and memory are in proportion to the number
 * of indices; nothing is allocated unless there are more of them than ever before.
 */
export class RowSums {
  /** The different rows, in the order in which they first occur; the first `count` are valid. */
  rows = new Uint32Array(0);
  #count = 0;
  /** For each index, the place of its row in `rows`. */
  #places = new Uint32Array(0);
  /** A hash table with open addressing: 0 if free, otherwise a place + 1. */
  #table = new Uint32Array(0);
  #length = 0;

  /** The number of different rows. */
  get count(): number {
    return this.#count;
  }

  /** Whether no index occurs twice, so that the rows are the indices and the sums are the values. */
  get isDistinct(): boolean {
    return this.#count === this.#length;
  }

  /** Takes indices. They are not kept. */
  find(indices: Uint32Array | Int32Array): void {
    const { length } = indices;
    this.#reserve(length);
    this.#length = length;
    const rows = this.rows;
    const places = this.#places;
    const table = this.#table;
    const last = table.length - 1;
    const shift = Math.clz32(last);
    table.fill(0);
    let count = 0;
    for (let i = 0; i < length; i += 1) {
      const row = indices[i];
      // Multiplication by 2^32 / φ spreads consecutive rows.
      let slot = Math.imul(row, 0x9e3779b1) >>> shift;
      while (table[slot] !== 0 && rows[table[slot] - 1] !== row) slot = (slot + 1) & last;
      if (table[slot] === 0) {
        rows[count] = row;
        count += 1;
        table[slot] = count;
      }
      places[i] = table[slot] - 1;
    }
    this.#count = count;
  }

  /** Writes the sums of rows of this length to the target, in the order of `rows`. Values are added in their order. */
  sum(values: Values, columns: number, target: Values): void {
    const places = this.#places;
    let seen = 0;
    for (let i = 0; i < this.#length; i += 1) {
      const from = i * columns;
      const to = places[i] * columns;
      if (places[i] === seen) {
        seen += 1;
        for (let j = 0; j < columns; j += 1) target[to + j] = values[from + j];
      } else for (let j = 0; j < columns; j += 1) target[to + j] += values[from + j];
    }
  }

  #reserve(length: number): void {
    if (length <= this.rows.length) return;
    const capacity = Math.max(length, 2 * this.rows.length);
    this.rows = new Uint32Array(capacity);
    this.#places = new Uint32Array(capacity);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * capacity)));
  }
}
