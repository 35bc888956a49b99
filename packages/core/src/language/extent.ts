/**
 * How many values something has in a step: one per element of a tensor, one per row or column, one per tensor, one for
 * all tensors that the step updates, or one number that the host computes before the step.
 */
export type Extent = "step" | "all" | "tensor" | "row" | "column" | "element";

/** Where a reduction has one value each. */
export type ReducedExtent = Exclude<Extent, "step" | "element">;

const ranks: Record<Extent, number> = { step: 0, all: 1, tensor: 2, row: 3, column: 3, element: 4 };

/** The smallest extent to which both broadcast: a row with a column gives elements. */
export function joined(a: Extent, b: Extent): Extent {
  if (a === b) return a;
  if (ranks[a] === ranks[b]) return "element";
  return ranks[a] > ranks[b] ? a : b;
}

/** Whether values of this extent differ within a tensor. */
export function varies(extent: Extent): boolean {
  return ranks[extent] >= ranks.row;
}

/** Whether a value of the first extent is part of exactly one value of the second: a row of a tensor, not of a column. */
export function isWithin(narrow: Extent, wide: Extent): boolean {
  return ranks[narrow] > ranks[wide];
}
