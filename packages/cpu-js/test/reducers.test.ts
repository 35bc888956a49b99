import { summationBlock, type Dimensions, type Extent, type ReduceOp } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { createReducer } from "../src/passes/create-reducer.js";
import type { Reducer } from "../src/passes/reducer.js";

type Over = "row" | "column" | "tensor";

const longest = 6000;

/** Rows per matrix of the one with two long matrices. */
const longRows = 4500;

/** In this order for one reducer: shorter tensors follow longer ones, and the other way round. */
const shapes: readonly Dimensions[] = [
  { matrices: 2, rows: 3, columns: 4 },
  { matrices: 1, rows: 9000, columns: 3 },
  { matrices: 5, rows: 1, columns: 1 },
  { matrices: 2, rows: 2, columns: 5000 },
  { matrices: 2, rows: longRows, columns: 2 },
  { matrices: 4, rows: 17, columns: 20 },
];

/** Small integers of both signs, whose sums are exact in f32. */
const valueOf = (i: number): number => ((i * 37) % 61) - 30;

/** A factor with which they are exact in f64 alone. */
const wide = 2 ** 24 + 1;

/**
 * Whether a mask leaves the row out: a whole matrix with one row, the second block of the longest, and the first block of
 * the second of two long matrices. The first row takes part.
 */
const isLeftOut = (row: number): boolean =>
  row % 5 === 3 || (row >= summationBlock && row < longRows + summationBlock);

/** Which result the value of an index is part of. */
function placeOf(i: number, over: Over, { rows, columns }: Dimensions): number {
  if (over === "tensor") return 0;
  if (over === "row") return Math.floor(i / columns);
  return Math.floor(i / (rows * columns)) * columns + (i % columns);
}

/** Feeds runs of rows in ranges of whole rows. */
function reduce(reducer: Reducer, { matrices, rows, columns }: Dimensions, factor: number): void {
  const rowsPerRange = Math.floor(longest / columns);
  for (let first = 0; first < matrices * rows;) {
    if (isLeftOut(first)) {
      first += 1;
      continue;
    }
    let end = first + 1;
    while (end < matrices * rows && end - first < rowsPerRange && !isLeftOut(end)) end += 1;
    for (let i = first * columns; i < end * columns; i += 1)
      reducer.operands[i - first * columns] = factor * valueOf(i);
    reducer.add(first * columns, end * columns);
    first = end;
  }
  reducer.finish();
}

const join = { sum: (a: number, b: number) => a + b, maximum: Math.max };

describe.each([Float32Array, Float64Array])("with values in a %o", (Temporary) => {
  const cases = (["sum", "maximum"] as const satisfies readonly ReduceOp[]).flatMap((op) =>
    (["row", "column", "tensor"] as const).map((over) => ({ op, over })),
  );
  test.each(cases)("$op per $over: of all matrices, without rows that are left out", (one) => {
    const { op, over } = one;
    const reducer = createReducer({ ...one, name: "@" }, Temporary, longest);
    const factor = Temporary === Float64Array ? wide : 1;
    for (const dimensions of shapes) {
      const { matrices, rows, columns } = dimensions;
      const size = matrices * rows * columns;
      const count = { row: matrices * rows, column: matrices * columns, tensor: 1 }[over];
      const expected = new Array<number>(count).fill(op === "sum" ? 0 : -Infinity);
      for (let i = 0; i < size; i += 1) {
        if (isLeftOut(Math.floor(i / columns))) continue;
        const place = placeOf(i, over, dimensions);
        expected[place] = join[op](expected[place], factor * valueOf(i));
      }
      const result = new Temporary(count).fill(Number.NaN);
      reducer.begin(result, "element" satisfies Extent, dimensions);
      reduce(reducer, dimensions, factor);
      expect([...result]).toEqual(expected);
    }
  });
});
