import { arrayTypeOf, type Precision } from "./precision.js";

/** Consecutive positions whose sum one thread computes. */
export const summationBlock = 4096;

/** Sums that run side by side in a block. A power of two. */
export const summationLanes = 16;

/** How values are joined: `sum`, or the larger of two, which is NaN if one of them is NaN. */
export type ReduceOp = "sum" | "maximum";

/** The value of a reduction over nothing. */
export const emptyValue: Record<ReduceOp, number> = { sum: 0, maximum: -Infinity };

/** Joins two values. A sum is rounded where it is stored. */
export function join(op: ReduceOp, a: number, b: number): number {
  return op === "maximum" ? Math.max(a, b) : a + b;
}

/**
 * Reduces values in the order that the language defines, which depends on nothing but their positions.
 *
 * 1. Positions are divided into blocks of 4,096.
 * 2. In a block, lane l of 16 joins the values at positions l, l + 16, l + 32, … in this order, beginning with the value
 *    of a reduction over nothing.
 * 3. The lanes of a block are joined: l with l + 8, then l with l + 4, l + 2 and l + 1.
 * 4. The blocks are joined by `joinPairwise`.
 *
 * A value that takes no part is left out, which for a sum is the same as adding 0.
 *
 * @param valueAt the value at a position; undefined if it takes no part
 * @param precision to which every sum is rounded
 */
export function reduce(
  op: ReduceOp,
  count: number,
  valueAt: (position: number) => number | undefined,
  precision: Precision,
): number {
  const Sums = arrayTypeOf(precision);
  const blocks: number[] = [];
  for (let start = 0; start < count; start += summationBlock) {
    const lanes = new Sums(summationLanes).fill(emptyValue[op]);
    for (let i = start; i < Math.min(count, start + summationBlock); i += 1) {
      const value = valueAt(i);
      const lane = i % summationLanes;
      if (value !== undefined) lanes[lane] = join(op, lanes[lane], value);
    }
    for (let half = summationLanes / 2; half >= 1; half /= 2) {
      for (let l = 0; l < half; l += 1) lanes[l] = join(op, lanes[l], lanes[l + half]);
    }
    blocks.push(lanes[0]);
  }
  return joinRounded(op, blocks, precision);
}

/**
 * Joins values pairwise, in place: neighbors 0 and 1, 2 and 3, …, then their results in the same way. A last one without
 * a neighbor stays as it is. Blocks are joined by this, and the values of tensors, in the order of the parameters.
 *
 * @param values in a Float32Array, every sum is rounded to f32
 * @param first the index of the first of `count` values
 * @returns the value of a reduction over nothing if `count` is 0
 */
export function joinPairwise(
  op: ReduceOp,
  values: { [index: number]: number },
  count: number,
  first = 0,
): number {
  if (count === 0) return emptyValue[op];
  for (let length = count; length > 1; length = Math.ceil(length / 2)) {
    for (let i = 0; 2 * i < length; i += 1) {
      const a = values[first + 2 * i];
      values[first + i] = 2 * i + 1 < length ? join(op, a, values[first + 2 * i + 1]) : a;
    }
  }
  return values[first];
}

/** Joins all values pairwise. @param precision to which every sum is rounded */
export function joinRounded(op: ReduceOp, values: ArrayLike<number>, precision: Precision): number {
  return joinPairwise(op, arrayTypeOf(precision).from(values), values.length);
}
