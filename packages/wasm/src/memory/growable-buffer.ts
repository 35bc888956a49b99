import type { Heap } from "./growable-heap.js";

/** A growing part of a heap, seen as i32 and f32 cells. */
export class Table {
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
