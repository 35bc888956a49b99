import type { Dtype, TypedArray } from "./dtypes.js";

/** A tensor of a file. */
export interface SafetensorsEntry {
  readonly dtype: Dtype;
  /** `[]` for a scalar; a size can be 0. */
  readonly shape: readonly number[];
  /**
   * The elements in row-major order. F64, F32, and integers are arrays of that type (I64 is a `BigInt64Array`); F16 and
   * BF16 are the bits, in a `Uint16Array`; BOOL, the 8-bit floats and the packed F6 and F4 are bytes, in a `Uint8Array`;
   * C64 is a `Float32Array` of real and imaginary parts in turn.
   *
   * For encoding, F16 and BF16 can also be a `Float32Array` or a `Float64Array`, which is rounded.
   */
  readonly data: TypedArray;
}
