import type { Dimensions } from "@gradstep/core";
import { elementsPerTile } from "../../shaders/kernel-layout.js";
import { newtonSchulzTiles } from "../../shaders/newton-schulz-kernel.js";
import { type NewtonSchulzStage } from "../../shaders/newton-schulz-stages.js";
import type { BufferView } from "../../memory/buffer-views.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import {
  planSegmentDispatches,
  type Segment,
  type SegmentDispatch,
} from "../dispatch/segment-dispatches.js";

/** The matrices of a tensor, before and after an iteration. */
export interface MatrixItem {
  readonly dimensions: Dimensions;
  readonly from: BufferView;
  /** Other memory than `from`. */
  readonly to: BufferView;
  /** Memory for `productLength` values. */
  readonly products: BufferView;
  /** From `coefficientWords`. */
  readonly coefficients: readonly number[];
  /** The scalars of the parameter's group. */
  readonly scalars: Float64Array;
}

/** The number of values of A and bA + cA² for the matrices of a tensor. */
export function productLength({ matrices, rows, columns }: Dimensions): number {
  return 2 * matrices * Math.min(rows, columns) ** 2;
}

/**
 * Plans the dispatches of a stage of one Newton–Schulz iteration per matrix.
 * @throws {GradstepError} `UNSUPPORTED` if a tensor does not fit into a binding
 */
export function planNewtonSchulz(
  stage: NewtonSchulzStage,
  items: readonly MatrixItem[],
  limits: BindingLimits,
): SegmentDispatch[] {
  return planSegmentDispatches(
    items.flatMap((item) =>
      Array.from({ length: item.dimensions.matrices }, (_, i) => segmentOf(stage, item, i)),
    ),
    limits,
  );
}

function segmentOf(
  stage: NewtonSchulzStage,
  { dimensions: { rows, columns }, from, to, products, scalars, coefficients }: MatrixItem,
  matrix: number,
): Segment {
  const size = rows * columns;
  const square = Math.min(rows, columns) ** 2;
  const parts = [
    { ...from, length: size },
    { ...products, length: 2 * square },
    { ...to, length: size },
  ].map(({ buffer, start, length }) => {
    const first = start + matrix * length;
    return { buffer, low: 4 * first, high: 4 * (first + length) };
  });
  const tiles = newtonSchulzTiles(stage, rows, columns);
  return {
    spans: parts,
    count: tiles * elementsPerTile,
    tiles,
    scalars,
    parametersAt: (offsets) => {
      const [x, gram, result] = parts.map(({ low }, i) => (low - offsets[i]) / 4);
      return [x, gram, gram + square, result, rows, columns, ...coefficients];
    },
  };
}
