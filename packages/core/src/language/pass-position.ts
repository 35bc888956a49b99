/** The order of passes between two reductions: what has more values comes first. */
const extentOrder = ["element", "row", "column", "tensor", "all"] as const;

/** Where a pass is in the order of execution: after as many reductions as its level says. */
export interface PassPosition {
  readonly level: number;
  readonly over: (typeof extentOrder)[number];
}

/** Negative if passes over the first extent come before those over the second, at the same level. */
export function compareExtents(a: PassPosition["over"], b: PassPosition["over"]): number {
  return extentOrder.indexOf(a) - extentOrder.indexOf(b);
}

/** Whether a pass at the first position runs after one at the second. */
export function isAfter(a: PassPosition, b: PassPosition): boolean {
  return a.level > b.level || (a.level === b.level && compareExtents(a.over, b.over) > 0);
}
