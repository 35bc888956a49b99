import type { Extent } from "./extent.js";

/** A tensor as a batch of matrices, one after the other in row-major order. */
export interface Dimensions {
  readonly matrices: number;
  /** Rows and columns of each matrix. */
  readonly rows: number;
  readonly columns: number;
}

/** The number of values that something of this extent has in a tensor. */
export function countOf(extent: Extent, { matrices, rows, columns }: Dimensions): number {
  if (extent === "element") return matrices * rows * columns;
  if (extent === "row") return matrices * rows;
  return extent === "column" ? matrices * columns : 1;
}

/** The index, in a wider extent, of the value to which a value belongs. */
export function reducedIndex(
  of: Extent,
  over: Extent,
  index: number,
  dimensions: Dimensions,
): number {
  const { rows, columns } = dimensions;
  if (of === over) return index;
  if (over === "row") return Math.floor(index / columns);
  if (over === "column") return Math.floor(index / (rows * columns)) * columns + (index % columns);
  return 0;
}
