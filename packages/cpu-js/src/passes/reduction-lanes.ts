import { join, summationLanes, type ReduceOp, type Values } from "@gradstep/core";

/** New values: f32 if every operation is rounded. */
export function allocateValues(length: number, exact: boolean): Values {
  return exact ? new Float32Array(length) : new Float64Array(length);
}

/** Joins lanes l with l + 8, l + 4, l + 2 and l + 1. Each is a row of `width` values; those from `used` on are empty. */
export function joinLanes(op: ReduceOp, lanes: Values, used: number, width: number): void {
  for (let half = summationLanes / 2; half >= 1; half /= 2) {
    const count = Math.min(half, used - half) * width;
    for (let i = 0; i < count; i += 1)
      lanes[i] = join(op, lanes[i], lanes[i + half * width], false);
  }
}

/** Joins blocks pairwise, as `joinPairwise` of core does. Each is a row of `width` values. */
export function joinBlocks(op: ReduceOp, blocks: Values, count: number, width: number): void {
  for (let length = count; length > 1; length = Math.ceil(length / 2)) {
    for (let i = 0; 2 * i < length; i += 1) {
      for (let c = 0; c < width; c += 1) {
        const left = blocks[2 * i * width + c];
        blocks[i * width + c] =
          2 * i + 1 < length ? join(op, left, blocks[(2 * i + 1) * width + c], false) : left;
      }
    }
  }
}

/** Joins each value of a range with its own value of a target. */
export function addToArray(
  op: ReduceOp,
  target: Values,
  first: number,
  values: Values,
  from: number,
  count: number,
): void {
  if (op === "sum") for (let i = 0; i < count; i += 1) target[first + i] += values[from + i];
  else
    for (let i = 0; i < count; i += 1)
      target[first + i] = Math.max(target[first + i], values[from + i]);
}

/** Joins values with the lanes: the first with `lane`, the next with the lane after it. */
export function addToLanes(
  op: ReduceOp,
  lanes: Values,
  lane: number,
  values: Values,
  from: number,
  count: number,
): void {
  const mask = summationLanes - 1;
  if (op === "sum") for (let i = 0; i < count; i += 1) lanes[(lane + i) & mask] += values[from + i];
  else
    for (let i = 0; i < count; i += 1) {
      const l = (lane + i) & mask;
      lanes[l] = Math.max(lanes[l], values[from + i]);
    }
}
