import { summationLanes, type Dimensions, type ReduceOp } from "@gradstep/core";
import { joinPairwise } from "@gradstep/core/internal";
import { blocksOf, lanesOf } from "./pass-plan.js";

/** Joins the 16 lanes of each block of a tensor, then the blocks. Lanes are replaced. @param from,to words */
export function joinTensor(
  op: ReduceOp,
  values: Float32Array,
  from: number,
  blocks: number,
  to: number,
): void {
  for (let b = 0; b < blocks; b += 1) {
    const first = from + summationLanes * b;
    for (let half = summationLanes / 2; half >= 1; half /= 2)
      joinVectors(op, values, first, first + half, half);
    values[from + b] = values[first];
  }
  values[to] = joinPairwise(op, values, blocks, from);
}

/** Joins the blocks of each row. */
export function joinRow(
  op: ReduceOp,
  values: Float32Array,
  from: number,
  { matrices, rows, columns }: Dimensions,
  to: number,
): void {
  const blocks = blocksOf(columns);
  for (let r = 0; r < matrices * rows; r += 1)
    values[to + r] = joinPairwise(op, values, blocks, from + blocks * r);
}

/** Joins the lanes of each block of rows, then the blocks: vectors of columns. */
export function joinColumn(
  op: ReduceOp,
  values: Float32Array,
  from: number,
  { matrices, rows, columns }: Dimensions,
  to: number,
): void {
  const blocks = blocksOf(rows);
  const lanes = lanesOf(rows);
  const blockWords = lanes * columns;
  for (let m = 0; m < matrices; m += 1) {
    const matrix = from + m * blocks * blockWords;
    for (let b = 0; b < blocks; b += 1) {
      const first = matrix + b * blockWords;
      for (let half = lanes / 2; half >= 1; half /= 2)
        joinVectors(op, values, first, first + half * columns, half * columns);
    }
    for (let length = blocks; length > 1; length = Math.ceil(length / 2)) {
      for (let i = 0; 2 * i < length; i += 1) {
        const target = matrix + i * blockWords;
        const source = matrix + 2 * i * blockWords;
        values.copyWithin(target, source, source + columns);
        if (2 * i + 1 < length) joinVectors(op, values, target, source + blockWords, columns);
      }
    }
    values.copyWithin(to + m * columns, matrix, matrix + columns);
  }
}

/** Joins vectors of values, in place: the first with the second. */
function joinVectors(
  op: ReduceOp,
  values: Float32Array,
  first: number,
  second: number,
  length: number,
): void {
  if (op === "sum")
    for (let i = 0; i < length; i += 1)
      values[first + i] = Math.fround(values[first + i] + values[second + i]);
  else
    for (let i = 0; i < length; i += 1)
      values[first + i] = Math.max(values[first + i], values[second + i]);
}
