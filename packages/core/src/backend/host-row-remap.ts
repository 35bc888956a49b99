import { newRow, type RowMove, type RowSources, type Values } from "./backend.js";
import { GradstepError } from "../errors.js";
import type { HostTensor } from "./host-tensor.js";

/** Factor by which capacity grows, so that a growing model is reallocated only a few times. */
const growth = 1.5;

/** The capacity to grow to when `rows` exceeds `capacity`. */
export function grownCapacity(rows: number, capacity: number): number {
  return Math.max(rows, Math.ceil(capacity * growth));
}

/** Memory for a tensor whose number of rows changes; the tensor keeps its old memory until `commit`. */
export interface Reallocation {
  /** Whether old and new values share memory. */
  readonly isInPlace: boolean;
  /** The old values. */
  before(): Values;
  /** Where the new values go. */
  after(): Values;
  /** Makes the new memory the tensor's. */
  commit(): void;
  /** Frees the new memory; the tensor is unchanged. */
  rollback(): void;
}

/** A tensor in host memory whose number of rows can change. */
interface RowTensor {
  reallocate(shape: readonly number[]): Reallocation;
}

/** `Backend.remap` for backends in host memory. All tensors must have `reallocate`, as `HostTensor` has. */
export function remapRows(moves: readonly RowMove[], { count, indices }: RowSources): void {
  const from = (indices as Uint32Array).subarray(0, count);
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
    const rowLength = move.tensor.size / move.tensor.shape[0];
    if (move.reset !== "written") {
      gather(reallocation, kept, rowLength, from);
      resetValues(reallocation.after(), move, rowLength, from);
    }
    reallocation.commit();
  });
  for (const move of moves) copyResetRows(move, from);
}

/** Row `i` becomes what row `from[i]` was. @param kept number of rows, from the first, that stay where they are */
function gather(
  reallocation: Reallocation,
  kept: number,
  rowLength: number,
  from: Uint32Array,
): void {
  const after = reallocation.after();
  let before = reallocation.before();
  // The kept rows stay. The others are copied first, since a row may be overwritten before it is read.
  if (reallocation.isInPlace) before = before.slice(kept * rowLength);
  else after.set(before.subarray(0, kept * rowLength));
  const skipped = reallocation.isInPlace ? kept : 0;
  for (let i = kept; i < from.length; i += 1) {
    const source = from[i];
    if (source === newRow) continue;
    const isKept = source < skipped;
    const values = isKept ? after : before;
    const start = (isKept ? source : source - skipped) * rowLength;
    for (let j = 0; j < rowLength; j += 1) after[i * rowLength + j] = values[start + j];
  }
}

function resetValues(values: Values, move: RowMove, rowLength: number, from: Uint32Array): void {
  const { initial } = move;
  if (typeof initial !== "number") return;
  for (let i = 0; i < from.length; i += 1)
    if (isReset(move, i, from)) values.fill(initial, i * rowLength, (i + 1) * rowLength);
}

function isReset({ reset }: RowMove, row: number, from: Uint32Array): boolean {
  if (reset === "all" || from[row] === newRow) return true;
  return ArrayBuffer.isView(reset) && reset[row] !== 0;
}

/** Copies the rows that are reset from another tensor, whose rows have been moved. */
function copyResetRows(move: RowMove, from: Uint32Array): void {
  if (typeof move.initial === "number") return;
  const source = (move.initial as HostTensor).view();
  const target = (move.tensor as HostTensor).view();
  const rowLength = source.length / from.length;
  for (let i = 0; i < from.length; i += 1) {
    if (!isReset(move, i, from)) continue;
    const start = i * rowLength;
    for (let j = start; j < start + rowLength; j += 1) target[j] = source[j];
  }
}

/** The error for caller-owned memory that is too small for the new rows. */
export function tooManyRows(shape: readonly number[], capacity: number): GradstepError {
  return new GradstepError(
    `Shape [${shape.join(", ")}] does not fit into wrapped memory for ${capacity} rows. Wrap it with a larger capacity, or pass replacements as \`parameters\`.`,
    { code: "INVALID_MEMORY" },
  );
}
