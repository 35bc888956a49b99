import { newRow, type RowMove, type RowSources, type Values } from "./backend.js";
import { GradstepError } from "../errors.js";

/** Capacity becomes so many times what it was, so that a growing model moves to new memory a few times only. */
const growth = 1.5;

/** For how many rows there is to be room, when so many do not fit where there is room for `capacity`. */
export function grownCapacity(rows: number, capacity: number): number {
  return Math.max(rows, Math.ceil(capacity * growth));
}

/** Memory for a tensor with another number of rows, while it still has those from before. */
export interface Room {
  /** Whether it is the memory of before. */
  readonly isSame: boolean;
  /** The values of before. */
  before(): Values;
  /** Where those of after are to be. */
  after(): Values;
  /** Makes it the tensor's. */
  adopt(): void;
  /** Gives it back. */
  abandon(): void;
}

/** A tensor whose values JavaScript sees, and that can have other rows. */
interface RowTensor {
  roomFor(shape: readonly number[]): Room;
}

/** What `Backend.remap` is where the values of tensors can be seen. All of its tensors must have `roomFor`. */
export function remapRows(moves: readonly RowMove[], { count, indices, fresh }: RowSources): void {
  const from = (indices as Uint32Array).subarray(0, count);
  const rooms: Room[] = [];
  try {
    for (const { tensor } of moves) {
      const shape = [count, ...tensor.shape.slice(1)];
      rooms.push((tensor as unknown as RowTensor).roomFor(shape));
    }
  } catch (error) {
    for (const room of rooms) room.abandon();
    throw error;
  }
  const moved = from.findIndex((source, i) => source !== i);
  const kept = moved < 0 ? count : moved;
  moves.forEach((move, k) => {
    const room = rooms[k];
    const rowLength = move.tensor.size / move.tensor.shape[0];
    gather(room, kept, rowLength, from);
    beginAnew(room.after(), move, rowLength, from, fresh as Uint32Array | undefined);
    room.adopt();
  });
}

/** Row `i` becomes what row `from[i]` was. @param kept rows in front that stay where they are */
function gather(room: Room, kept: number, rowLength: number, from: Uint32Array): void {
  const after = room.after();
  let before = room.before();
  // Rows in front are where they were; of the others, one may be overwritten before it is read.
  if (room.isSame) before = before.slice(kept * rowLength);
  else after.set(before.subarray(0, kept * rowLength));
  const skipped = room.isSame ? kept : 0;
  for (let i = kept; i < from.length; i += 1) {
    const source = from[i];
    if (source === newRow) continue;
    const isInFront = source < skipped;
    const values = isInFront ? after : before;
    const start = (isInFront ? source : source - skipped) * rowLength;
    for (let j = 0; j < rowLength; j += 1) after[i * rowLength + j] = values[start + j];
  }
}

function beginAnew(
  values: Values,
  { initial, anew }: RowMove,
  rowLength: number,
  from: Uint32Array,
  fresh: Uint32Array | undefined,
): void {
  for (let i = 0; i < from.length; i += 1) {
    const isAnew =
      anew === "all" || from[i] === newRow || (anew === "fresh" && (fresh?.[i] ?? 0) !== 0);
    if (isAnew) values.fill(initial, i * rowLength, (i + 1) * rowLength);
  }
}

/** Memory of the caller's that is too small for what comes. */
export function tooManyRows(shape: readonly number[], capacity: number): GradstepError {
  return new GradstepError(
    `Shape [${shape.join(", ")}] does not fit into wrapped memory with room for ${capacity} rows. Wrap it with a larger capacity, or pass the tensors that take its place as \`parameters\`.`,
    { code: "INVALID_MEMORY" },
  );
}
