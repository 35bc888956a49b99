const cell = new Float32Array(1);
const bits = new Int32Array(cell.buffer);

/** The smallest f32 that is not below x. */
export function roundUp(x: number): number {
  cell[0] = x;
  if (cell[0] >= x || !Number.isFinite(cell[0])) return cell[0];
  if (cell[0] === 0) return 2 ** -149;
  bits[0] += cell[0] > 0 ? 1 : -1;
  return cell[0];
}

/** The greatest f32 that is not above x. */
export function roundDown(x: number): number {
  return -roundUp(-x);
}

/** One unit in the last place of x, as WGSL measures errors: the distance of the f32s around it. */
export function ulp(x: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  return 2 ** (Math.max(exponent, -126) - 23);
}

/** The f32 that is next to `result` on the side of `exact`: rounding adds nothing to an error. */
export function roundTowards(result: number, exact: number): number {
  return result > exact ? roundDown(result) : roundUp(result);
}
