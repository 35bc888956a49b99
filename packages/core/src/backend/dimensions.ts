import type { Tensor } from "./backend.js";
import type { Extent } from "../language/extent.js";
import type { Matrices, SlotExtent } from "../rule/variant.js";

/** A tensor as a batch of matrices, one after the other in row-major order. */
export interface Dimensions {
  readonly matrices: number;
  /** Rows and columns of each matrix. */
  readonly rows: number;
  readonly columns: number;
}

/** The matrices of a shape. With `first`, and below two dimensions, there is one: its rows are the first dimension. */
export function dimensionsOf(shape: readonly number[], matrices: Matrices): Dimensions {
  const size = shape.reduce((product, length) => product * length, 1);
  const isBatch = matrices === "last" && shape.length > 2;
  const rows = (isBatch ? shape.at(-2) : shape[0]) ?? 1;
  const columns = isBatch ? shape.at(-1)! : size / rows;
  return { matrices: size / (rows * columns), rows, columns };
}

/** Values per row: per index of the first dimension. */
export function columnsOf({ size, shape }: Pick<Tensor, "size" | "shape">): number {
  return size / (shape[0] ?? 1);
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

/** The shape of a slot of a parameter. */
export function slotShape(
  extent: SlotExtent,
  shape: readonly number[],
  matrices: Matrices,
): readonly number[] {
  if (extent === "element") return shape;
  if (extent === "tensor" || extent === "all") return [];
  const isBatch = matrices === "last" && shape.length > 2;
  if (extent === "row") return shape.slice(0, isBatch ? -1 : 1);
  return isBatch ? [...shape.slice(0, -2), shape.at(-1)!] : shape.slice(1);
}

/** Whether the first dimension of a slot is that of its parameter, so that it moves with the parameter's rows. */
export function hasRowsOf(
  extent: SlotExtent,
  shape: readonly number[],
  matrices: Matrices,
): boolean {
  if (extent === "column") return matrices === "last" && shape.length > 2;
  return extent === "element" || extent === "row";
}
