import {
  sizeOf,
  type Backend,
  type GradstepError,
  type MemoryRange,
  type Reallocation,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import {
  checkValues,
  grownCapacity,
  notLive,
  tooManyRows,
  withoutValues,
} from "@gradstep/core/internal";
import type { Heap } from "./heap.js";

/** A range of a wasm memory. Its buffer is looked up at each use: growth replaces it. */
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

/** What all tensors of a backend have in common. */
export interface TensorContext {
  readonly backend: Backend;
  readonly heap: Heap;
  /** Whether threads can share the memory. */
  readonly isShared: boolean;
  /** Called when the address or the size of a tensor changes. */
  readonly onRelocate: () => void;
}

/** The address of a tensor without values. Not 0, where wrapped memory may begin. */
const unallocated = -1;

/** A tensor in the memory of a wasm backend. */
export class WasmTensor implements StagingTensor {
  readonly backend: Backend;
  #shape: readonly number[];
  #size: number;
  readonly #context: TensorContext;
  /** The number of values for which there is room at the address. */
  #capacity: number;
  /** Address of the block that the tensor owns; 0 if it owns none. */
  #ownedAddress = 0;
  #address: number;
  #freed = false;
  #view: Float32Array | undefined;
  /** The address of `#view`. */
  #viewAddress = unallocated;
  #range: WasmRange | undefined;

  /**
   * @param address in the memory of the heap, of bytes that the tensor does not own. Without values if left out.
   * @param capacity the number of values for which there is room at the address; that of the shape if left out.
   */
  constructor(
    context: TensorContext,
    shape: readonly number[],
    address = unallocated,
    capacity: number = sizeOf(shape),
  ) {
    this.#size = sizeOf(shape);
    this.backend = context.backend;
    this.#shape = Object.freeze([...shape]);
    this.#context = context;
    this.#address = address;
    this.#capacity = capacity;
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  /** The address in the memory, in bytes. @throws {GradstepError} `DISPOSED`, `INVALID_MEMORY` */
  get address(): number {
    if (this.#address === unallocated) throw this.#unusable();
    return this.#address;
  }

  /**
   * The live values: writes to the view change the tensor, and steps change the view. Any allocation can grow the memory,
   * which detaches all views: call this again instead of keeping one.
   *
   * @throws {GradstepError} `DISPOSED`
   */
  view(): Float32Array {
    const { address } = this;
    // By length: a detached view has none. Getting the buffer of the memory takes longer than all the rest.
    if (this.#view?.length !== this.#size || this.#viewAddress !== address || this.#isOutdated) {
      const { buffer } = this.#context.heap.memory;
      this.#view = new Float32Array(buffer, address, this.#size);
      this.#viewAddress = address;
    }
    return this.#view;
  }

  /** Whether the view belongs to a buffer from before shared memory grew, which does not detach it. */
  get #isOutdated(): boolean {
    const { isShared, heap } = this.#context;
    return isShared && this.#view?.buffer !== heap.memory.buffer;
  }

  /** Empty if the tensor has no values now. */
  get memory(): MemoryRange {
    if (this.#address === unallocated && !this.#freed)
      return { buffer: this, byteOffset: 0, byteLength: 0 };
    const { address } = this;
    if (this.#range?.byteOffset !== address)
      this.#range = new WasmRange(this.#context.heap, address, 4 * this.#capacity);
    return this.#range;
  }

  get freed(): boolean {
    return this.#freed;
  }

  /** Allocates a block for the values. @throws {GradstepError} `OUT_OF_MEMORY` */
  allocate(): this {
    if (this.#ownedAddress === 0) this.#ownedAddress = this.#context.heap.allocate(4 * this.#size);
    this.#moveTo(this.#ownedAddress);
    return this;
  }

  /** Uses values that are in this memory in place, and copies others. */
  stage(values: Values): void {
    if (this.#freed) throw this.#unusable();
    if (values.buffer === this.#context.heap.memory.buffer) this.#moveTo(values.byteOffset);
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
    if (this.#ownedAddress !== 0) this.#context.heap.free(this.#ownedAddress);
    this.#ownedAddress = 0;
    this.#moveTo(unallocated);
    this.#freed = true;
    this.#view = undefined;
    this.#range = undefined;
  }

  /**
   * Prepares another number of rows.
   * @throws {GradstepError} `INVALID_MEMORY`, `OUT_OF_MEMORY`, `DISPOSED`
   */
  reallocate(shape: readonly number[]): Reallocation {
    const { address: from } = this;
    const heap = this.#context.heap;
    const size = sizeOf(shape);
    const oldSize = this.#size;
    const isInPlace = size <= this.#capacity;
    let capacity = this.#capacity;
    let to = from;
    if (!isInPlace) {
      const rowLength = oldSize / this.#shape[0];
      const rows = Math.floor(capacity / rowLength);
      if (this.#ownedAddress === 0) throw tooManyRows(shape, rows);
      capacity = grownCapacity(shape[0], rows) * rowLength;
      to = heap.allocate(4 * capacity);
    }
    return {
      isInPlace,
      before: () => new Float32Array(heap.memory.buffer, from, oldSize),
      after: () => new Float32Array(heap.memory.buffer, to, size),
      commit: () => {
        if (!isInPlace) {
          heap.free(this.#ownedAddress);
          this.#ownedAddress = to;
        }
        this.#context.onRelocate();
        this.#address = to;
        this.#capacity = capacity;
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
    if (this.#address !== unallocated) this.#context.onRelocate();
    this.#address = address;
  }

  #unusable(): GradstepError {
    return this.#freed ? notLive("The tensor", this) : withoutValues("The tensor");
  }
}
