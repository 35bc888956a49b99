import {
  checkValues,
  GradstepError,
  grownCapacity,
  sizeOf,
  tooManyRows,
  type Backend,
  type MemoryRange,
  type Reallocation,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import type { Heap } from "./growable-heap.js";

/** A part of a wasm memory. Its buffer is looked up where it is asked for: growth replaces it. */
class WasmRange implements MemoryRange {
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly #heap: Heap;

  constructor(heap: Heap, byteOffset: number, byteLength: number) {
    this.#heap = heap;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
  }

  get buffer(): ArrayBufferLike {
    return this.#heap.memory.buffer;
  }
}

/** What the tensors of a backend have in common. */
export interface TensorHome {
  readonly backend: Backend;
  readonly heap: Heap;
  /** Whether threads share its memory. */
  readonly isShared: boolean;
  /** Told of a tensor that no longer lies where it lay, or is of another size. */
  readonly moved: () => void;
}

/** No address: what others wrap may begin at 0. */
const nowhere = -1;

/** A tensor in the memory of a wasm backend. */
export class WasmTensor implements StagingTensor {
  readonly backend: Backend;
  #shape: readonly number[];
  #size: number;
  readonly #home: TensorHome;
  /** Values that there is room for. */
  #room: number;
  /** Of its own memory; 0 where it has none: no heap allocates there. */
  #own = 0;
  /** Where its values are, if they are anywhere. */
  #address: number;
  #freed = false;
  #view: Float32Array | undefined;
  /** Where `#view` begins. */
  #viewed = nowhere;
  #range: WasmRange | undefined;

  /**
   * @param address in the heap's memory, of bytes that somebody else owns; left out, there are none so far.
   * @param room how many values there is room for at that address; those of the shape if left out.
   */
  constructor(
    home: TensorHome,
    shape: readonly number[],
    address = nowhere,
    room: number = sizeOf(shape),
  ) {
    this.#size = sizeOf(shape);
    this.backend = home.backend;
    this.#shape = Object.freeze([...shape]);
    this.#home = home;
    this.#address = address;
    this.#room = room;
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  /** Where it lies in the memory, in bytes. @throws {GradstepError} `DISPOSED`, `INVALID_MEMORY` */
  get address(): number {
    if (this.#address === nowhere) throw this.#unusable();
    return this.#address;
  }

  /**
   * The live values: writing to them writes to the tensor, and steps show in them. Good until the memory grows, which
   * any allocation may make it do; ask again rather than keep it.
   *
   * @throws {GradstepError} `DISPOSED`
   */
  view(): Float32Array {
    const { address } = this;
    // A detached view has no length. Asking the memory for its buffer takes longer than all the rest.
    if (this.#view?.length !== this.#size || this.#viewed !== address || this.#isOutdated) {
      const { buffer } = this.#home.heap.memory;
      this.#view = new Float32Array(buffer, address, this.#size);
      this.#viewed = address;
    }
    return this.#view;
  }

  /** Whether the view is of a buffer that shared memory had before it grew: nothing detaches that. */
  get #isOutdated(): boolean {
    const { isShared, heap } = this.#home;
    return isShared && this.#view?.buffer !== heap.memory.buffer;
  }

  /** Empty where the tensor has no values at present. */
  get memory(): MemoryRange {
    if (this.#address === nowhere && !this.#freed)
      return { buffer: this, byteOffset: 0, byteLength: 0 };
    const { address } = this;
    if (this.#range?.byteOffset !== address)
      this.#range = new WasmRange(this.#home.heap, address, 4 * this.#room);
    return this.#range;
  }

  get freed(): boolean {
    return this.#freed;
  }

  /** Reserves memory of its own. @throws {GradstepError} `OUT_OF_MEMORY` */
  allocate(): this {
    if (this.#own === 0) this.#own = this.#home.heap.allocate(4 * this.#size);
    this.#moveTo(this.#own);
    return this;
  }

  /** Values that lie in this memory already are used where they are; others are copied. */
  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    if (values.buffer === this.#home.heap.memory.buffer) this.#moveTo(values.byteOffset);
    else this.allocate().view().set(values);
  }

  write(values: ArrayLike<number>): void {
    const target = this.view();
    checkValues(values, this.size);
    target.set(values);
  }

  read(): Promise<Float32Array> {
    try {
      // Not `slice`, which would copy shared memory into shared memory.
      return Promise.resolve(new Float32Array(this.view()));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  free(): void {
    if (this.#own !== 0) this.#home.heap.free(this.#own);
    this.#own = 0;
    this.#moveTo(nowhere);
    this.#freed = true;
    this.#view = undefined;
    this.#range = undefined;
  }

  /**
   * Room for a shape that differs in the number of rows.
   * @throws {GradstepError} `INVALID_MEMORY`, `OUT_OF_MEMORY`, `DISPOSED`
   */
  reallocate(shape: readonly number[]): Reallocation {
    const { address: from } = this;
    const heap = this.#home.heap;
    const size = sizeOf(shape);
    const before = this.#size;
    const isInPlace = size <= this.#room;
    let room = this.#room;
    let to = from;
    if (!isInPlace) {
      const rowLength = before / this.#shape[0];
      const capacity = Math.floor(room / rowLength);
      if (this.#own === 0) throw tooManyRows(shape, capacity);
      room = grownCapacity(shape[0], capacity) * rowLength;
      to = heap.allocate(4 * room);
    }
    return {
      isInPlace,
      before: () => new Float32Array(heap.memory.buffer, from, before),
      after: () => new Float32Array(heap.memory.buffer, to, size),
      commit: () => {
        if (!isInPlace) {
          heap.free(from);
          this.#own = to;
        }
        this.#home.moved();
        this.#address = to;
        this.#room = room;
        this.#size = size;
        this.#shape = Object.freeze([...shape]);
        this.#view = undefined;
        this.#range = undefined;
      },
      rollback: () => {
        if (!isInPlace) heap.free(to);
      },
    };
  }

  #moveTo(address: number): void {
    if (address === this.#address) return;
    if (this.#address !== nowhere) this.#home.moved();
    this.#address = address;
  }

  #unusable(): GradstepError {
    return this.#freed
      ? new GradstepError("The tensor was freed; make a new one.", { code: "DISPOSED" })
      : new GradstepError("The tensor has no values yet; give it some with stage().", {
          code: "INVALID_MEMORY",
        });
  }
}
