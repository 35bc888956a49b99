import { newRow } from "@gradstep/core";

/** Rows of a plain array after a remap. */
export function movedRows(
  values: ArrayLike<number>,
  columns: number,
  indices: Uint32Array,
  {
    initial,
    isReset,
  }: {
    /** The value of rows without a source, and of those that are reset. */
    readonly initial: number;
    readonly isReset: (row: number) => boolean;
  },
): Float32Array {
  const moved = new Float32Array(indices.length * columns);
  indices.forEach((source, row) => {
    const isNew = source === newRow || isReset(row);
    for (let column = 0; column < columns; column += 1)
      moved[row * columns + column] = isNew ? initial : values[source * columns + column];
  });
  return moved;
}
