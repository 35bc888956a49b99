import type { RowView } from "./row-view.js";

/** Words per entry of a list of rows: the row, the row of its gradient, and the next entry whose gradient is added. */
export const listEntryWords = 3;

/** In place of a row or an entry: none. Entries without a row are skipped. */
export const noEntry = 0xffff_ffff;

/** A list of rows in a buffer. */
export interface RowListView extends Pick<RowView, "buffer"> {
  /** The first word. */
  readonly start: number;
  /** The number of entries. */
  readonly length: number;
  /**
   * If all rows are updated, those without an entry as by a gradient of 0: the first of as many words as the tensor has
   * rows, with the first entry of each. Undefined if only listed rows are updated.
   */
  readonly firstEntries: number | undefined;
}
