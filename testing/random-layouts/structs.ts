import type { HostArray, Tensor, WrappingBackend } from "@gradstep/core";
import type { Random } from "./random.js";

export type Dtype = "f32" | "f64" | "f16" | "u32" | "i32";

/** The typed array of each type. */
export const arrays = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
};

/** A field of an array of structs. */
export interface Field {
  readonly dtype: Dtype;
  readonly columns: number;
  /** From the start of a struct, in bytes. */
  start: number;
}

/** Structs of random fields with random gaps, in a part of a buffer. */
export class Structs {
  readonly #random: Random;
  readonly #fields: Field[] = [];
  #end = 0;
  #first = 0;
  #stride = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(dtype: Dtype, columns: number): Field {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    const gap = this.#random.chance(50) ? 0 : width * this.#random.below(3);
    const start = Math.ceil(this.#end / width) * width + gap;
    const field = { dtype, columns, start };
    this.#fields.push(field);
    this.#end = start + width * columns;
    return field;
  }

  /** Decides where the structs begin, and how long they are; returns where they end. */
  place(first: number, rows: number): number {
    this.#first = first + 8 * this.#random.below(3);
    this.#stride = 8 * (Math.ceil(this.#end / 8) + this.#random.below(3));
    return this.#first + rows * this.#stride + 8;
  }

  tensor(
    backend: WrappingBackend<HostArray>,
    buffer: ArrayBuffer,
    { dtype, columns, start }: Field,
    shape: readonly number[],
    scale?: number,
  ): Tensor {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    const rowStride = this.#stride / width;
    const offset = (this.#first + start) / width;
    const array = new arrays[dtype](buffer);
    // A single row needs no stride, and has no gaps.
    const options = { shape, offset, rowStride: shape.length === 0 ? columns : rowStride };
    return backend.wrap(array, scale === undefined ? options : { ...options, scale });
  }

  /** Calls back with the index of each value of a field in a typed array over the buffer. */
  forEach(
    { dtype, columns, start }: Field,
    rows: number,
    visit: (index: number, value: number) => void,
  ): void {
    const width = arrays[dtype].BYTES_PER_ELEMENT;
    for (let row = 0; row < rows; row += 1)
      for (let column = 0; column < columns; column += 1)
        visit((this.#first + row * this.#stride + start) / width + column, row * columns + column);
  }
}
