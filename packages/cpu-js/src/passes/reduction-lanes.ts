import { summationLanes, type ReduceOp, type Values } from "@gradstep/core";
import { join } from "@gradstep/core/internal";

/** Joins lanes l with l + 8, l + 4, l + 2 and l + 1. Each is a row of `width` values; those from `used` on are empty. */
export function joinLanes(op: ReduceOp, lanes: Values, used: number, width: number): void {
  for (let half = summationLanes / 2; half >= 1; half /= 2) {
    const count = Math.min(half, used - half) * width;
    for (let i = 0; i < count; i += 1) lanes[i] = join(op, lanes[i], lanes[i + half * width]);
  }
}

/** Joins blocks pairwise, as `joinPairwise` of core does. Each is a row of `width` values. */
export function joinBlocks(op: ReduceOp, blocks: Values, count: number, width: number): void {
  for (let length = count; length > 1; length = Math.ceil(length / 2)) {
    for (let i = 0; 2 * i < length; i += 1) {
      for (let c = 0; c < width; c += 1) {
        const left = blocks[2 * i * width + c];
        blocks[i * width + c] =
          2 * i + 1 < length ? join(op, left, blocks[(2 * i + 1) * width + c]) : left;
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
  const head = Math.min(count, (summationLanes - lane) % summationLanes);
  addToArray(op, lanes, lane, values, from, head);
  const first = from + head;
  const last = from + count - ((count - head) % summationLanes);
  if (op === "maximum")
    for (let i = first; i < last; i += summationLanes)
      addToArray(op, lanes, 0, values, i, summationLanes);
  else if (lanes instanceof Float32Array) addRounded(lanes, values, first, last);
  else addUnrounded(lanes, values, first, last);
  addToArray(op, lanes, 0, values, last, from + count - last);
}

/**
 * Adds whole lines of 16 values to the lanes, four lanes at a time: their sums stay in registers, and the processor
 * overlaps them. Three times as fast as lanes in memory.
 */
function addUnrounded(lanes: Values, values: Values, first: number, last: number): void {
  for (let l = 0; l < summationLanes; l += 4) {
    let a = lanes[l];
    let b = lanes[l + 1];
    let c = lanes[l + 2];
    let d = lanes[l + 3];
    for (let i = first + l; i < last; i += summationLanes) {
      a += values[i];
      b += values[i + 1];
      c += values[i + 2];
      d += values[i + 3];
    }
    lanes[l] = a;
    lanes[l + 1] = b;
    lanes[l + 2] = c;
    lanes[l + 3] = d;
  }
}

/** The same with sums that are rounded to f32. */
function addRounded(lanes: Values, values: Values, first: number, last: number): void {
  for (let l = 0; l < summationLanes; l += 4) {
    let a = lanes[l];
    let b = lanes[l + 1];
    let c = lanes[l + 2];
    let d = lanes[l + 3];
    for (let i = first + l; i < last; i += summationLanes) {
      a = Math.fround(a + values[i]);
      b = Math.fround(b + values[i + 1]);
      c = Math.fround(c + values[i + 2]);
      d = Math.fround(d + values[i + 3]);
    }
    lanes[l] = a;
    lanes[l + 1] = b;
    lanes[l + 2] = c;
    lanes[l + 3] = d;
  }
}
