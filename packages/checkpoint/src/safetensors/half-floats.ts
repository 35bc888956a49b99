import { GradstepError, show } from "@gradstep/core";
import { decodeFloat16, encodeFloat16, isInstance, propertyOf } from "@gradstep/core/internal";
import type { SafetensorsEntry } from "./entry.js";

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Decodes the 16 bits of a bfloat16, which are the upper half of an f32. */
function decodeBfloat16(bits: number): number {
  word[0] = bits << 16;
  return float[0];
}

/** The bits of the bfloat16 nearest to an f32, of two equally near ones the even one. NaN stays NaN. */
function encodeBfloat16(value: number): number {
  float[0] = value;
  const bits = word[0];
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** Finite values beyond the range become ±65504. Infinities stay, so that a state that diverged is not hidden. */
function encodeFiniteFloat16(value: number): number {
  if (value === Infinity) return 0x7c00;
  if (value === -Infinity) return 0xfc00;
  return encodeFloat16(value);
}

/**
 * An f64 as an f32 that rounds to the same 16 bits: cut off, with the last bit set if anything was lost ("round to odd").
 * The nearest f32 would not do: it can lie halfway between two half floats where the f64 does not.
 */
function roundToOdd(value: number): number {
  float[0] = value;
  if (float[0] === value || Number.isNaN(value)) return float[0];
  if (Math.abs(float[0]) > Math.abs(value)) word[0] -= 1;
  word[0] |= 1;
  return float[0];
}

/** Rounds to the nearest F16 or BF16, of two equally near ones the even one, and returns the bits. */
export function encodeHalfFloats(
  dtype: "F16" | "BF16",
  values: Float32Array | Float64Array,
): Uint16Array<ArrayBuffer> {
  const encode = dtype === "F16" ? encodeFiniteFloat16 : encodeBfloat16;
  const bits = new Uint16Array(values.length);
  if (values instanceof Float32Array)
    for (let i = 0; i < values.length; i++) bits[i] = encode(values[i]);
  else for (let i = 0; i < values.length; i++) bits[i] = encode(roundToOdd(values[i]));
  return bits;
}

/**
 * The values of a tensor of F64, F32, F16 or BF16. Arrays of F64 and F32 are returned as they are; F16 and BF16 are decoded
 * into a new array, exactly.
 * @throws {GradstepError} `INVALID_FILE` for other dtypes
 */
export function floatValues(entry: SafetensorsEntry): Float32Array | Float64Array {
  const dtype = propertyOf(entry, "dtype");
  const data = propertyOf(entry, "data");
  const isHalf = dtype === "F16" || dtype === "BF16";
  if (isInstance(data, Float64Array)) return data;
  if ((dtype === "F32" || isHalf) && isInstance(data, Float32Array)) return data;
  if (isHalf && isInstance(data, Uint16Array)) {
    const decode = dtype === "F16" ? decodeFloat16 : decodeBfloat16;
    const values = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) values[i] = decode(data[i]);
    return values;
  }
  throw new GradstepError(
    `Got a tensor of ${typeof dtype === "string" ? dtype : show(dtype)}; expected F64, F32, F16 or BF16. Save it as one of these, or read its \`data\`.`,
    { code: "INVALID_FILE" },
  );
}
