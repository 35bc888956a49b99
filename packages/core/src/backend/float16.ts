const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The largest finite value of binary16, 65504. */
const largest = 0x7bff;

/** Decodes the 16 bits of an IEEE 754 binary16. */
export function decodeFloat16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The 16 bits of the nearest IEEE 754 binary16 of an f32, of two equally near ones the even one. Values beyond the range,
 * infinities included, become ±65504; NaN stays NaN.
 */
export function encodeFloat16(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00;
  // From 65520 on, which is halfway to the next power of two.
  if (magnitude >= 0x477f_f000) return sign | largest;
  if (magnitude >= 0x3880_0000)
    return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // The unit in the last place of numbers from 0.5 to 1 is the smallest subnormal of binary16.
  word[0] = magnitude;
  float[0] += 0.5;
  return sign | (word[0] - 0x3f00_0000);
}
