// Not shared with core, whose conversions the suite judges with these.

/** The largest finite f16. */
export const largestFloat16 = 65_504;
/** The smallest f16 that is not subnormal. */
export const smallestNormalFloat16: number = 2 ** -14;

/** The value of the 16 bits of an IEEE 754 binary16. */
export function decodeFloat16(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The 16 bits of a value that an f16 holds. */
export function encodeFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < smallestNormalFloat16) return sign | (size * 2 ** 24);
  const exponent = exponentOf(size);
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

/** The nearest f16, with ties to even; infinite from 65,520 on. */
export function roundFloat16(value: number): number {
  const unit = unitOf(value);
  if (unit === undefined) return value;
  // Adding 1.5 · 2⁵² rounds to an integer.
  const integer = value / unit + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
  return signed(integer * unit, value);
}

/** The greatest f16 that is not above a value. */
export function floorFloat16(value: number): number {
  const unit = unitOf(value);
  return unit === undefined ? value : signed(Math.floor(value / unit) * unit, value);
}

/** The smallest f16 that is not below a value. */
export function ceilFloat16(value: number): number {
  return -floorFloat16(-value);
}

/** The distance of the f16 around a value; undefined for 0 and what is not finite. */
function unitOf(value: number): number | undefined {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) return undefined;
  return 2 ** (Math.max(Math.min(exponentOf(size), 15), -14) - 10);
}

/** With the sign of the value where it is 0, and infinite beyond the range. */
function signed(rounded: number, value: number): number {
  if (Math.abs(rounded) > largestFloat16) return Math.sign(value) * Infinity;
  return rounded === 0 && value < 0 ? -0 : rounded;
}

/** The integer e with 2ᵉ ≤ size < 2ᵉ⁺¹. */
function exponentOf(size: number): number {
  const exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) return exponent - 1;
  return 2 ** (exponent + 1) <= size ? exponent + 1 : exponent;
}
