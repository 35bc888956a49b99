import type { Dimensions, Extent, Matrices, Update, Variant } from "@gradstep/core";
import { countOf, dimensionsOf, hasRowsOf } from "@gradstep/core/internal";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import type { RowView, RowListView } from "../../memory/buffer-views.js";

/** Where the values of an array are that belong to one tensor. */
export interface ArrayLocation {
  /** Undefined for the scratch buffer. */
  readonly buffer: GPUBuffer | undefined;
  /** The position of the first value, in values. */
  readonly start: number;
  readonly length: number;
  /** Values per row of the parameter; 0 if all of its rows have the same values. */
  readonly perRow: number;
  /** The number of values after which there can be a gap: the values per row of the array's own tensor. */
  readonly width: number;
  /** From the first of these values to the first ones after the gap: `width` if there are no gaps. */
  readonly stride: number;
  /** Whether there is padding after the values that may be changed. */
  readonly isPadded: boolean;
}

/** A tensor that a step updates, and where everything is that belongs to it. */
export interface StepTarget {
  readonly update: Update;
  readonly dimensions: Dimensions;
  /** The first dimension of the parameter, to which masks and strides refer. */
  readonly rows: number;
  /** The values of an extent that belong to one row of the parameter; 0 if they are the same for all rows. */
  readonly perRowOf: (extent: Extent) => number;
  /** Where its mask is. */
  readonly mask: RowView | undefined;
  /** Where its list of rows is. */
  readonly list: RowListView | undefined;
  /** By name; not that of the gradient. */
  readonly locations: ReadonlyMap<string, ArrayLocation>;
}

/** A target with the locations of its parameter and slots. */
export function stepTargetOf(
  { slots, matrices }: Variant,
  update: Update,
  mask: RowView | undefined,
  list: RowListView | undefined,
): StepTarget & { readonly locations: Map<string, ArrayLocation> } {
  const { parameter } = update;
  const dimensions = dimensionsOf(parameter.shape, matrices);
  const rows = parameter.shape[0] ?? 1;
  const perRowOf = (extent: Extent): number =>
    valuesPerRow(extent, dimensions, parameter.shape, matrices);
  const locationOf = (extent: Extent, tensor: GpuTensor): ArrayLocation => {
    const perRow = perRowOf(extent);
    const width = perRow > 0 ? perRow : tensor.columns;
    return {
      buffer: tensor.memory.buffer,
      start: tensor.memory.byteOffset / 4,
      length: tensor.memory.byteLength / 4,
      perRow,
      width,
      stride: tensor.layout === undefined ? width : tensor.rowStride,
      isPadded: tensor.isPadded,
    };
  };
  const locations = new Map<string, ArrayLocation>([
    ["p", locationOf("element", parameter as unknown as GpuTensor)],
  ]);
  slots.forEach(({ name, extent }, k) => {
    locations.set(name, locationOf(extent, update.slots[k] as unknown as GpuTensor));
  });
  return { update, dimensions, rows, perRowOf, mask, list, locations };
}

/** The values of an extent that belong to one row of the parameter; 0 if they are the same for all rows. */
function valuesPerRow(
  extent: Extent,
  dimensions: Dimensions,
  shape: readonly number[],
  matrices: Matrices,
): number {
  if (extent === "tensor" || extent === "all" || extent === "step") return 0;
  return hasRowsOf(extent, shape, matrices) ? countOf(extent, dimensions) / (shape[0] ?? 1) : 0;
}
