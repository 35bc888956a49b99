import type { Reduction } from "@gradstep/core";
import { ColumnReducer } from "./column-reducer.js";
import { ConsecutiveReducer } from "./consecutive-reducer.js";
import type { TemporaryArray } from "./temporary-array.js";
import type { Reducer } from "./reducer.js";

/** @param length number of values in the largest range */
export function createReducer(
  { op, over }: Reduction,
  Temporary: TemporaryArray,
  length: number,
): Reducer {
  return over === "column"
    ? new ColumnReducer(op, Temporary, length)
    : new ConsecutiveReducer(op, over, Temporary, length);
}
