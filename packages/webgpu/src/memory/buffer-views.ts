/** An array of f32 values in a buffer. */
export interface BufferView {
  readonly buffer: GPUBuffer;
  /** The position of the first value, in values. */
  readonly start: number;
}

/** Rows in a buffer. The units of `start` and `stride`, the distance between rows, depend on the use. */
export interface RowView {
  readonly buffer: GPUBuffer;
  readonly start: number;
  readonly stride: number;
}

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
  /** If each entry has scalars of its own: the first of as many words as there are entries, with the start of each. */
  readonly scalarStarts: number | undefined;
}
