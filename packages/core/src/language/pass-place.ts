/** The order of passes between two reductions: what has more values comes first. */
const extentOrder = ["element", "row", "column", "tensor", "all"] as const;

/** Where a pass stands: after as many reductions as its level says. */
export interface PassPlace {
  readonly level: number;
  readonly over: (typeof extentOrder)[number];
}

/** Negative if passes over the first extent come before those over the second, at the same level. */
export function compareExtents(a: PassPlace["over"], b: PassPlace["over"]): number {
  return extentOrder.indexOf(a) - extentOrder.indexOf(b);
}

/** Whether a pass at the first place runs after one at the second. */
export function isAfter(a: PassPlace, b: PassPlace): boolean {
  return a.level > b.level || (a.level === b.level && compareExtents(a.over, b.over) > 0);
}
