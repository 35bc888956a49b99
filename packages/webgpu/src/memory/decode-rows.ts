import { bytesPerValue, type Layout, type Values } from "@gradstep/core";
import { decodeFloat16 } from "@gradstep/core/internal";

/**
 * The values of a tensor with a layout, row by row without gaps: f32, f16 and fixed point in a Float32Array, other
 * integers in a Float64Array, which holds all of them.
 *
 * @param byteOffset where the first value is in the bytes
 */
export function decodeRows(
  bytes: ArrayBuffer,
  byteOffset: number,
  { dtype, rowStride, scale }: Layout,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Values {
  const isInteger = dtype === "u32" || dtype === "i32";
  const values =
    isInteger && scale === 1 ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
  const source = typedArrayOf(bytes, dtype);
  const start = byteOffset / bytesPerValue[dtype];
  for (let row = 0, to = 0; row < rows; row += 1) {
    const from = start + row * rowStride;
    for (let k = from; k < from + columns; k += 1, to += 1) {
      if (dtype === "f16") values[to] = decodeFloat16(source[k]);
      else values[to] = scale === 1 ? source[k] : Math.fround(source[k]) * scale;
    }
  }
  return values;
}

function typedArrayOf(bytes: ArrayBuffer, dtype: Layout["dtype"]): ArrayLike<number> {
  if (dtype === "f16") return new Uint16Array(bytes);
  if (dtype === "i32") return new Int32Array(bytes);
  return dtype === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
}
