const words = new DataView(new ArrayBuffer(4));

/** Decodes the 16 bits of an IEEE 754 binary16. */
export function decodeFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : Number.NaN
      : exponent === 0
        ? fraction / 2 ** 24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >= 0x8000 ? -size : size;
}

/** The 16 bits of the f16 nearest to a number; ties go to even. */
export function encodeFloat16(value: number): number {
  words.setFloat32(0, value);
  const sign = (words.getUint32(0) >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // The distance between adjacent f16; 2⁻²⁴ for subnormal ones.
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.max(size, 2 ** -24))));
  const step = 2 ** (exponent - 10);
  const quotient = size / step;
  const low = Math.floor(quotient);
  const rest = quotient - low;
  const rounded = low + (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? 1 : 0);
  return sign | (rounded + (exponent + 14) * 1024);
}

/** Whether an f16 equals a number or is one of the two adjacent to it, as WGSL requires of a conversion. */
export function isRounded(bits: number, value: number): boolean {
  const got = decodeFloat16(bits);
  if (got === value) return true;
  const nearest = encodeFloat16(value);
  if (bits === nearest) return true;
  // The adjacent f16 on the other side of the number.
  const towards = Math.abs(decodeFloat16(nearest)) > Math.abs(value) ? -1 : 1;
  return bits === nearest + towards;
}
