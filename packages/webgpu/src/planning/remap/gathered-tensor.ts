import type { resetCode } from "../../shaders/gather-kernel.js";
import type { RowView } from "../../memory/buffer-views.js";

/** Rows in a buffer, in words. */
export interface RowMemory extends RowView {
  readonly rows: number;
}

/** A tensor whose rows are gathered. */
export interface GatheredTensor {
  readonly columns: number;
  readonly source: RowMemory;
  readonly target: RowView;
  /** The words after the last new row that become 0. */
  readonly padding: number;
  readonly reset: keyof typeof resetCode;
  /** The flags of the rows that are reset; any valid view if there are none. */
  readonly resetRows: RowView;
  /** The value of rows that are reset, or the rows from which they take their values. */
  readonly initial: number | InitialRows;
}

/** The rows from which rows that are reset take their values. */
export interface InitialRows {
  readonly source: RowMemory;
  /** Whether its rows have been moved already. */
  readonly isMoved: boolean;
  /** The value of rows without a source. */
  readonly initial: number;
}

/** Row sources on the device. */
export interface DeviceRowSources {
  readonly count: number;
  readonly indices: RowView;
  /** Where the number of new rows that can have a source is stored; all of them if undefined. */
  readonly limit?: RowView | undefined;
}

/** Adjacent columns of a tensor, and where they are in the scratch buffer. */
export interface ColumnGroup {
  readonly gathered: GatheredTensor;
  readonly firstColumn: number;
  readonly columns: number;
  /** In words. */
  readonly scratchStart: number;
  readonly isLast: boolean;
}
