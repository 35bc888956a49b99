import type { Dimensions, Matrices, Update } from "@gradstep/core";
import { dimensionsOf } from "@gradstep/core/internal";

/** The matrices of a tensor. */
export interface TensorMatrices {
  readonly dimensions: Dimensions;
  /** Whether kernels see their transposes, and the dimensions that they see. */
  readonly isTransposed: boolean;
  /** Whether the step has a mask for it. */
  readonly isMasked: boolean;
  readonly seen: Dimensions;
}

/**
 * A matrix with one column is seen as its transpose, so that loops over its columns are long. A mask applies to rows,
 * which rules that out.
 */
export function matricesOf({ parameter, mask }: Update, matrices: Matrices): TensorMatrices {
  const isMasked = mask !== undefined;
  const dimensions = dimensionsOf(parameter.shape, matrices);
  const { rows, columns } = dimensions;
  const isTransposed = columns === 1 && rows > 1 && !isMasked;
  const seen = isTransposed ? { ...dimensions, rows: columns, columns: rows } : dimensions;
  return { dimensions, isTransposed, isMasked, seen };
}
