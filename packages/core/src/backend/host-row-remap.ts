import { newRow, type RowMove, type RowSources, type RowValues, type Tensor } from "./backend.js";
import { columnsOf } from "./dimensions.js";
import type { HostArray } from "./host-array.js";
import { checkRowMoves } from "./host-call-checks.js";
import { rowStrideOf, rowValuesOf, storedValues } from "./stored-values.js";
import type { Reallocation } from "./reallocation.js";

/** A tensor in host memory whose number of rows can change. */
interface RowTensor {
  reallocate(shape: readonly number[]): Reallocation;
}

/**
 * `Backend.remap` for backends in host memory. All tensors must have `reallocate`, as `HostTensor` has.
 *
 * @param keep copies flags and indices that the growth of a tensor would detach; none are copied if left out
 * @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_MEMORY`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`; then nothing has changed
 */
export function remapRows(
  given: readonly RowMove[],
  sources: RowSources,
  keep: (values: RowValues) => RowValues = (values) => values,
): void {
  const rows = checkRowMoves(given, sources);
  const { count } = sources;
  const moves = given.map((move) => withFlagArray(move, keep));
  const from = sourcesOf(keep(sources.indices), count, rows);
  const reallocations: Reallocation[] = [];
  try {
    for (const { tensor } of moves) {
      const shape = [count, ...tensor.shape.slice(1)];
      reallocations.push((tensor as unknown as RowTensor).reallocate(shape));
    }
  } catch (error) {
    for (const one of reallocations) one.rollback();
    throw error;
  }
  const moved = from.findIndex((source, i) => source !== i);
  const kept = moved < 0 ? count : moved;
  moves.forEach((move, k) => {
    const reallocation = reallocations[k];
    if (move.reset !== "written") {
      gather(reallocation, kept, move.tensor, from);
      resetValues(reallocation.after(), move, from);
    }
    reallocation.commit();
  });
  for (const move of moves) copyResetRows(move, from);
}

/** The move with its flags as an array: a copy, since memory that grows detaches views of it. */
function withFlagArray(move: RowMove, keep: (values: RowValues) => RowValues): RowMove {
  const { reset } = move;
  if (typeof reset === "string") return move;
  if (ArrayBuffer.isView(reset)) return { ...move, reset: keep(reset) };
  return { ...move, reset: rowValuesOf(reset).slice() };
}

/** The sources of the new rows. In a tensor, every index that is too large means `newRow`. */
function sourcesOf(indices: RowValues, count: number, rows: number): Uint32Array {
  const from = rowValuesOf(indices).subarray(0, count);
  if (ArrayBuffer.isView(indices)) return from;
  return from.map((row) => (row < rows ? row : newRow));
}

/** Row `i` becomes what row `from[i]` was. @param kept number of rows, from the first, that stay where they are */
function gather(reallocation: Reallocation, kept: number, tensor: Tensor, from: Uint32Array): void {
  const columns = columnsOf(tensor);
  const stride = rowStrideOf(tensor);
  const after = reallocation.after();
  let before = reallocation.before();
  let beforeStride = stride;
  // The kept rows stay. The others are copied first, since a row may be overwritten before it is read.
  if (reallocation.isInPlace) {
    before = withoutGaps(before, kept, tensor);
    beforeStride = columns;
  } else after.set(before.subarray(0, kept * columns));
  const skipped = reallocation.isInPlace ? kept : 0;
  for (let i = kept; i < from.length; i += 1) {
    const source = from[i];
    if (source === newRow) continue;
    const isKept = source < skipped;
    const values = isKept ? after : before;
    const start = isKept ? source * stride : (source - skipped) * beforeStride;
    for (let j = 0; j < columns; j += 1) after[i * stride + j] = values[start + j];
  }
}

/** A copy of the rows of a tensor from `first` on, one after the other. */
function withoutGaps(values: HostArray, first: number, tensor: Tensor): HostArray {
  const columns = columnsOf(tensor);
  const stride = rowStrideOf(tensor);
  const end = tensor.shape[0];
  if (stride === columns) return values.slice(first * columns, end * columns);
  const kind = values.constructor as new (length: number) => HostArray;
  const copy = new kind(Math.max(0, end - first) * columns);
  for (let i = first, k = 0; i < end; i += 1)
    for (let j = 0; j < columns; j += 1, k += 1) copy[k] = values[i * stride + j];
  return copy;
}

function resetValues(values: HostArray, move: RowMove, from: Uint32Array): void {
  const { initial, tensor } = move;
  if (typeof initial !== "number") return;
  const columns = columnsOf(tensor);
  const stride = rowStrideOf(tensor);
  for (let i = 0; i < from.length; i += 1)
    if (isReset(move, i, from)) values.fill(initial, i * stride, i * stride + columns);
}

function isReset({ reset }: RowMove, row: number, from: Uint32Array): boolean {
  if (reset === "all" || from[row] === newRow) return true;
  return ArrayBuffer.isView(reset) && reset[row] !== 0;
}

/** Copies the rows that are reset from another tensor, whose rows have been moved. */
function copyResetRows(move: RowMove, from: Uint32Array): void {
  if (typeof move.initial === "number") return;
  const source = storedValues(move.initial);
  const target = storedValues(move.tensor);
  const [sourceStride, stride] = [rowStrideOf(move.initial), rowStrideOf(move.tensor)];
  const columns = columnsOf(move.tensor);
  for (let i = 0; i < from.length; i += 1) {
    if (!isReset(move, i, from)) continue;
    for (let j = 0; j < columns; j += 1) target[i * stride + j] = source[i * sourceStride + j];
  }
}
