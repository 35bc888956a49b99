import type { Dimensions, Extent, Values } from "@gradstep/core";

/**
 * Joins the operands of a reduction in the order that the language defines, while a pass computes them: range after
 * range, in ascending order. What a mask leaves out is between the ranges.
 *
 * Exact reducers round every sum to f32, since all their values are in Float32Arrays. Others join in f64.
 */
export interface Reducer {
  /** The operands of a range, which the pass computes before it calls `add`. */
  readonly operands: Values;
  /**
   * Begins a tensor. Its ranges must not divide rows that fit into one.
   * @param result receives a value per row or column, or one for the tensor
   */
  begin(result: Values, of: Extent, dimensions: Dimensions): void;
  /** Adds the values of indices `start` to `end` − 1, which are in `operands`. */
  add(start: number, end: number): void;
  finish(): void;
}
