import type { Values } from "../../backend/memory.js";

/** Shorter ranges are copied by a loop. */
const minViewLength = 1024;

/**
 * Sums rows of values that belong together, in their order. The other rows of the target stay.
 *
 * @param places for each row of values, which row of the target it belongs to: an index of `rows`. Those that occur for
 * the first time are in ascending order
 * @param count the number of rows of values
 * @param columns the number of values in a row
 * @param rows rows of the target
 */
export function sumRows(
  values: Values,
  places: Uint32Array,
  count: number,
  columns: number,
  target: Values,
  rows: Uint32Array,
): void {
  for (let i = 0, seen = 0; i < count;) {
    const from = i * columns;
    const to = rows[places[i]] * columns;
    if (places[i] < seen) {
      for (let j = 0; j < columns; j += 1) target[to + j] += values[from + j];
      i += 1;
      continue;
    }
    const end = endOfCopy(places, rows, i, count);
    const length = (end - i) * columns;
    // A call is faster for many values, but needs a view.
    if (length >= minViewLength) target.set(values.subarray(from, from + length), to);
    else for (let j = 0; j < length; j += 1) target[to + j] = values[from + j];
    seen += end - i;
    i = end;
  }
}

/**
 * The end of the rows, from `first` on, that can be copied together: they occur for the first time, and follow one another
 * in the target, too.
 */
function endOfCopy(places: Uint32Array, rows: Uint32Array, first: number, count: number): number {
  const place = places[first];
  const row = rows[place];
  let end = first + 1;
  while (
    end < count &&
    places[end] === place + end - first &&
    rows[places[end]] === row + end - first
  )
    end += 1;
  return end;
}
