/** Numbers of a tensor. A backend of precision "f64" holds a Float64Array, every other a Float32Array. */
export type Values = Float32Array | Float64Array;

/** Where the bytes of a tensor are. Used to find tensors that share memory. */
export interface MemoryRange {
  /** The owner of the bytes: an ArrayBuffer, a GPUBuffer, a wasm memory. Compared by identity. */
  readonly buffer: object;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The layout of values in memory, unless it is one f32 or f64 after the other. */
export interface Layout {
  /**
   * The type of a value: `f16` values are packed in pairs into four bytes; `u32` is for indices and masks; `i32` and
   * `u32` with a scale are for gradients in fixed point.
   */
  readonly dtype: "f32" | "f64" | "f16" | "u32" | "i32";
  /** Distance from the first value of a row to the first value of the next, counted in values. */
  readonly rowStride: number;
  /** For gradients of i32 and u32: a value is the stored integer times this, both rounded to f32. 1 for other types. */
  readonly scale: number;
}
