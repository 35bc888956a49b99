import type { Count, Dimensions, Matrices, SlotExtent, Update } from "@gradstep/core";
import { countOf, hasRowsOf } from "@gradstep/core/internal";

/** How many values of a tensor take part in a reduction, per row, column or tensor. */
export function selectedCount(
  { of, per }: Count,
  update: Update,
  dimensions: Dimensions,
  matrices: Matrices,
): number {
  const { rows, columns } = dimensions;
  if (per === "row") return columns;
  const { shape } = update.parameter;
  const fraction = hasRowsOf(of as SlotExtent, shape, matrices) ? selectedFraction(update) : 1;
  if (per === "column") {
    const isBatch = hasRowsOf("column", shape, matrices);
    return isBatch ? rows : Math.round(rows * fraction);
  }
  return Math.round(countOf(of, dimensions) * fraction);
}

/** The part of the rows that takes part in a step. */
function selectedFraction({ mask, unselectedRows }: Update): number {
  if (mask === undefined || unselectedRows !== "keep") return 1;
  const rows = mask as Uint32Array;
  return rows.reduce((count, row) => count + (row === 0 ? 0 : 1), 0) / rows.length;
}
