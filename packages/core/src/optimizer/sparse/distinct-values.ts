/**
 * Finds the different values in an array, such as the rows among the indices of a gradient. Time and memory are in
 * proportion to its length; nothing is allocated unless it is longer than any before.
 */
export class DistinctValues {
  /** The different values, in the order in which they first occur; the first `count` are valid. */
  values: Uint32Array = new Uint32Array(0);
  /** For each element of the array, the place of its value in `values`. */
  places: Uint32Array = new Uint32Array(0);
  #count = 0;
  /** A hash table with open addressing: 0 if free, otherwise a place + 1. */
  #table = new Uint32Array(0);

  /** The number of different values. */
  get count(): number {
    return this.#count;
  }

  /** Takes the first `length` elements of an array, which is not kept. */
  find(array: Uint32Array | Int32Array, length: number = array.length): void {
    this.#reserve(length);
    const { values, places } = this;
    const table = this.#table;
    const last = table.length - 1;
    const shift = Math.clz32(last);
    table.fill(0);
    let count = 0;
    for (let i = 0; i < length; i += 1) {
      const value = array[i];
      // Multiplication by 2^32 / φ spreads consecutive values.
      let slot = Math.imul(value, 0x9e3779b1) >>> shift;
      while (table[slot] !== 0 && values[table[slot] - 1] !== value) slot = (slot + 1) & last;
      if (table[slot] === 0) {
        values[count] = value;
        count += 1;
        table[slot] = count;
      }
      places[i] = table[slot] - 1;
    }
    this.#count = count;
  }

  #reserve(length: number): void {
    if (length <= this.values.length) return;
    const capacity = Math.max(length, 2 * this.values.length);
    this.values = new Uint32Array(capacity);
    this.places = new Uint32Array(capacity);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * capacity)));
  }
}
