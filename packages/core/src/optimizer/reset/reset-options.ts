import type { RowValues } from "../../backend/backend.js";

/** The first column, and the one after the last. */
export type ColumnRange = readonly [from: number, to: number];

/**
 * What `optimizer.reset` resets; with `rows` and `columns`, the elements that are in both. A value of a slot that belongs
 * to several elements, such as Adafactor's average of a row, is reset if all of them are: one per column
 * only without `rows`, one per tensor only without both.
 */
export interface ResetOptions {
  /** Rows whose u32 is not 0. All rows if left out. */
  readonly rows?: RowValues | undefined;
  /**
   * The first column, and the one after the last: `[3, 4]` is the fourth. The columns of a row are all of its values, in
   * row-major order. All columns if left out.
   */
  readonly columns?: ColumnRange | undefined;
}
