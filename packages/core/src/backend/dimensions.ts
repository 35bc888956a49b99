import type { Tensor } from "./backend.js";
import type { Dimensions } from "../language/dimensions.js";
import type { Matrices, SlotExtent } from "../rule/variant.js";

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
