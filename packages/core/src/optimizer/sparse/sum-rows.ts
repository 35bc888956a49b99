import type { Values } from "../../backend/backend.js";

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
  let seen = 0;
  for (let i = 0; i < count; i += 1) {
    const place = places[i];
    const from = i * columns;
    const to = rows[place] * columns;
    if (place === seen) {
      seen += 1;
      for (let j = 0; j < columns; j += 1) target[to + j] = values[from + j];
    } else for (let j = 0; j < columns; j += 1) target[to + j] += values[from + j];
  }
}
