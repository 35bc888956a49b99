const cell = new Float32Array(1);
const bits = new Uint32Array(cell.buffer);

/** Keeps this many bits of an f32's fraction (23 are there), rounding half up. */
export function keepBits(value: number, kept: number): number {
  cell[0] = value;
  if (!Number.isFinite(cell[0])) return cell[0];
  const dropped = 23 - kept;
  bits[0] = ((bits[0] + 2 ** (dropped - 1)) >>> dropped) << dropped;
  return cell[0];
}

/** To bfloat16. */
export function bfloat16(value: number): number {
  return keepBits(value, 7);
}

/** To half precision, its narrow range included. */
export function half(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return Math.round(value * 2 ** 24) / 2 ** 24;
  return magnitude >= 65_520 ? Math.sign(value) * Infinity : keepBits(value, 10);
}
