/** Rows in a buffer. The units of `start` and `stride`, the distance between rows, depend on the use. */
export interface RowView {
  readonly buffer: GPUBuffer;
  readonly start: number;
  readonly stride: number;
}
