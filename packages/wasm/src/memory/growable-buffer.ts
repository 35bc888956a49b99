import type { Heap } from "./heap.js";

/** A block of a heap that grows, seen as i32 and f32 words. */
export class GrowableBuffer {
  /** 0 until the first `reserve`. */
  address = 0;
  words = new Int32Array(0);
  floats = new Float32Array(0);
  #capacity = 0;
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /**
   * Makes room for this many words, and renews the views if growth of the memory has detached them.
   *
   * @returns whether the contents were kept
   * @throws {GradstepError} `OUT_OF_MEMORY`
   */
  reserve(words: number): boolean {
    const isKept = words <= this.#capacity;
    if (!isKept) {
      const capacity = Math.max(words, 2 * this.#capacity);
      const address = this.#heap.allocate(4 * capacity);
      if (this.address !== 0) this.#heap.free(this.address);
      this.address = address;
      this.#capacity = capacity;
    }
    // Growth detaches the views of unshared memory. Views of shared memory remain valid.
    if (this.words.length !== this.#capacity) {
      const { buffer } = this.#heap.memory;
      this.words = new Int32Array(buffer, this.address, this.#capacity);
      this.floats = new Float32Array(buffer, this.address, this.#capacity);
    }
    return isKept;
  }
}
