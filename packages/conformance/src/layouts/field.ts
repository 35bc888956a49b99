import { bytesPerValue, type Layout, type Tensor } from "@gradstep/core";
import { decodeFloat16, encodeFloat16 } from "./float16.js";

/** The type of stored values. */
export type StoredType = Exclude<Layout["dtype"], "f64">;

/** Values in words of memory: rows at any distance. Offset and stride count values of the type. */
export interface Field {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly rowStride: number;
  /** Of i32 and u32: a value is the stored integer times this. */
  readonly scale: number;
  /** The number of rows for which there is memory. */
  readonly capacity: number;
}

/** The memory of a field, as values of its type. Those of f16 are their bits. */
type StoredValues = Float32Array | Uint32Array | Int32Array | Uint16Array;

/** The number of rows of a shape, and of values in each. */
export function extentOf(shape: readonly number[]): { rows: number; columns: number } {
  const size = shape.reduce((product, length) => product * length, 1);
  const rows = shape[0] ?? 1;
  return { rows, columns: size / rows };
}

/** The index of each value of a field in memory that is seen as values of its type. */
export function* positionsOf({ shape, offset, rowStride }: Field): Iterable<number> {
  const { rows, columns } = extentOf(shape);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) yield offset + row * rowStride + column;
}

/** What is stored: numbers, integers without their scale. */
export function readField(memory: Uint32Array, field: Field): Float64Array {
  const stored = viewAs(field.dtype, memory);
  return Float64Array.from(positionsOf(field), (position) =>
    field.dtype === "f16" ? decodeFloat16(stored[position]) : stored[position],
  );
}

/** Stores values, which the type can hold. */
export function writeField(memory: Uint32Array, field: Field, values: ArrayLike<number>): void {
  const stored = viewAs(field.dtype, memory);
  let i = 0;
  for (const position of positionsOf(field)) {
    stored[position] = field.dtype === "f16" ? encodeFloat16(values[i]) : values[i];
    i += 1;
  }
}

/** The f32 that stored values stand for: in fixed point, the integer and the product are rounded. */
export function decodeField(field: Field, stored: ArrayLike<number>): Float32Array {
  return Float32Array.from(stored, (value) =>
    field.scale === 1 ? value : Math.fround(value) * Math.fround(field.scale),
  );
}

/** Where a tensor in host memory lies in the words around it. */
export function fieldOf({ memory, layout, shape }: Tensor): { words: Uint32Array; field: Field } {
  const { rows, columns } = extentOf(shape);
  const { dtype = "f32", rowStride = columns, scale = 1 } = layout ?? {};
  const stored = dtype === "f64" ? "f32" : dtype;
  const words = new Uint32Array(memory.buffer as ArrayBuffer);
  const offset = memory.byteOffset / bytesPerValue[stored];
  return { words, field: { dtype: stored, shape, offset, rowStride, scale, capacity: rows } };
}

/** The same bytes as values of a type. */
export function viewAs(
  dtype: StoredType,
  { buffer, byteOffset, byteLength }: Uint32Array,
): StoredValues {
  const length = byteLength / bytesPerValue[dtype];
  if (dtype === "f32") return new Float32Array(buffer, byteOffset, length);
  if (dtype === "i32") return new Int32Array(buffer, byteOffset, length);
  if (dtype === "u32") return new Uint32Array(buffer, byteOffset, length);
  return new Uint16Array(buffer, byteOffset, length);
}
