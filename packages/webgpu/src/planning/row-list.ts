import type { RowView } from "./row-item.js";

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
}
