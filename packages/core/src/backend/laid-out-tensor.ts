import { GradstepError, show } from "../errors.js";
import type { Backend } from "./backend.js";
import type { Layout, MemoryRange, Values } from "./memory.js";
import { encodeFloat16 } from "./float16.js";
import type { HostArray } from "./host-array.js";
import { allocateValues, checkValues } from "./host-tensor.js";
import { tooManyRows, type Reallocation } from "./reallocation.js";
import { sizeOf } from "./shape.js";
import { decodeValue, type StoredTensor } from "./stored-values.js";
import { notLive } from "./tensor-errors.js";

/** Memory whose buffer is replaced when it grows, such as a wasm memory. */
export interface GrowingMemory {
  readonly buffer: ArrayBufferLike;
}

/** A tensor in a typed array of the caller: rows at any distance, values of any type. It has no `view`. */
export class LaidOutTensor implements StoredTensor {
  readonly backend: Backend;
  readonly layout: Layout;
  #shape: readonly number[];
  #size: number;
  /** From the first value to the last one of the last row for which there is capacity. */
  #stored: HostArray;
  readonly #byteOffset: number;
  readonly #length: number;
  readonly #growing: GrowingMemory | undefined;
  readonly #memory: MemoryRange;
  #freed = false;
  #rowValues: Uint32Array | undefined;

  /**
   * @param stored begins with the first value; a row more than those of the shape makes capacity
   * @param growing the memory of the array, if it can grow
   */
  constructor(
    backend: Backend,
    shape: readonly number[],
    layout: Layout,
    stored: HostArray,
    growing?: GrowingMemory,
  ) {
    this.backend = backend;
    this.layout = layout;
    this.#size = sizeOf(shape);
    this.#shape = Object.freeze([...shape]);
    this.#stored = stored;
    this.#byteOffset = stored.byteOffset;
    this.#length = stored.length;
    this.#growing = growing;
    const { buffer, byteOffset, byteLength } = stored;
    this.#memory =
      growing === undefined
        ? { buffer, byteOffset, byteLength }
        : {
            get buffer() {
              return growing.buffer;
            },
            byteOffset,
            byteLength,
          };
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  get memory(): MemoryRange {
    this.stored();
    return this.#memory;
  }

  get freed(): boolean {
    return this.#freed || this.detached;
  }

  get detached(): boolean {
    return this.#growing === undefined && this.#stored.length !== this.#length;
  }

  stored(): HostArray {
    if (this.#freed || this.detached) throw notLive("The tensor", this);
    // Growth leaves views without a length, or, of shared memory, on the former buffer.
    if (this.#growing !== undefined && this.#stored.buffer !== this.#growing.buffer) {
      const kind = this.#stored.constructor as Uint32ArrayConstructor;
      this.#stored = new kind(this.#growing.buffer, this.#byteOffset, this.#length);
    }
    return this.#stored;
  }

  rowValues(): Uint32Array {
    const stored = this.stored() as Uint32Array;
    const { columns, rows } = this.#extent;
    const { rowStride } = this.layout;
    if (rowStride === columns) return stored.subarray(0, this.#size);
    if (this.#rowValues?.length !== this.#size) this.#rowValues = new Uint32Array(this.#size);
    const target = this.#rowValues;
    for (let i = 0, k = 0; i < rows; i += 1)
      for (let j = 0; j < columns; j += 1, k += 1) target[k] = stored[i * rowStride + j];
    return target;
  }

  /**
   * Integers must be in the range of their type.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `INVALID_MEMORY` (not an integer of the type), `UNSUPPORTED` (fixed point
   * with a scale), `DISPOSED`
   */
  write(values: ArrayLike<number>): void {
    const stored = this.stored();
    const { dtype, rowStride, scale } = this.layout;
    checkValues(values, this.#size);
    if (scale !== 1)
      throw new GradstepError(
        `Got values to write to a tensor of ${dtype} with scale ${scale}; expected a tensor without scale. Write the integers to its memory.`,
        { code: "UNSUPPORTED" },
      );
    if (dtype === "u32" || dtype === "i32") checkIntegers(dtype, values, this.#size);
    const { columns, rows } = this.#extent;
    const isHalf = dtype === "f16";
    for (let i = 0, k = 0; i < rows; i += 1)
      for (let j = 0; j < columns; j += 1, k += 1)
        stored[i * rowStride + j] = isHalf ? encodeFloat16(values[k]) : values[k];
  }

  /** A copy of the values, without gaps; of integers without scale as Float64Array. */
  read(): Promise<Values> {
    try {
      return Promise.resolve(this.#decode());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  free(): void {
    this.#freed = true;
  }

  /** Uses the capacity for another number of rows. @throws {GradstepError} `INVALID_MEMORY`, `DISPOSED` */
  reallocate(shape: readonly number[]): Reallocation {
    const stored = this.stored();
    const { columns } = this.#extent;
    const { rowStride } = this.layout;
    const capacity = Math.floor((this.#length - columns) / rowStride) + 1;
    if (shape[0] > capacity) throw tooManyRows(shape, capacity);
    return {
      isInPlace: true,
      before: () => stored,
      after: () => stored,
      commit: () => {
        this.#shape = Object.freeze([...shape]);
        this.#size = sizeOf(shape);
      },
      rollback: () => {},
    };
  }

  get #extent(): { readonly rows: number; readonly columns: number } {
    const rows = this.#shape[0] ?? 1;
    return { rows, columns: this.#size / rows };
  }

  #decode(): Values {
    const stored = this.stored();
    const { dtype, rowStride, scale } = this.layout;
    const { columns, rows } = this.#extent;
    const isExact = (dtype === "u32" || dtype === "i32") && scale === 1;
    const values = allocateValues(isExact ? "f64" : this.backend.precision, this.#shape);
    for (let i = 0, k = 0; i < rows; i += 1)
      for (let j = i * rowStride; j < i * rowStride + columns; j += 1, k += 1)
        values[k] = isExact ? stored[j] : decodeValue(dtype, stored[j], scale);
    return values;
  }
}

function checkIntegers(dtype: "u32" | "i32", values: ArrayLike<number>, size: number): void {
  for (let i = 0; i < size; i += 1) {
    const value = values[i];
    if (value === (dtype === "u32" ? value >>> 0 : value | 0)) continue;
    throw new GradstepError(
      `The array to write has ${show(value)} at ${i}; expected integers in the range of ${dtype}.`,
      { code: "INVALID_MEMORY" },
    );
  }
}
