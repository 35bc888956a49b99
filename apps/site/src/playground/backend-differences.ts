import type { Path } from "./path.js";

/** How a path differs from another one of the same race. */
export interface PathDifference {
  /** The first step after which a bit is different; undefined if all are the same. */
  readonly firstStep: number | undefined;
  /** The largest distance between points of the same step. */
  readonly largest: number;
}

/** Compares paths point by point; a path that ends earlier is compared up to its end. */
export function pathDifference(a: Path, b: Path): PathDifference {
  const count = Math.min(a.values.length, b.values.length);
  let firstStep: number | undefined;
  let largest = 0;
  for (let step = 0; step < count; step += 1) {
    const [ax, ay, bx, by] = [
      a.points[2 * step],
      a.points[2 * step + 1],
      b.points[2 * step],
      b.points[2 * step + 1],
    ];
    if (Object.is(ax, bx) && Object.is(ay, by)) continue;
    firstStep ??= step;
    largest = Math.max(largest, Math.hypot(ax - bx, ay - by));
  }
  if (firstStep === undefined && a.values.length !== b.values.length) firstStep = count;
  return { firstStep, largest };
}
