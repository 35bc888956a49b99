import { contours } from "d3-contour";
import type { Formula } from "./formula.js";
import type { Extent } from "./surfaces.js";

/** The points of a map where the function is at least a value, as closed rings in the map's coordinates. */
export interface ContourLevel {
  readonly value: number;
  /** x and y of one point after the other. */
  readonly points: Float32Array;
  /** Number of points up to the end of each ring. */
  readonly ringEnds: Uint32Array;
}

/** Levels in ascending order. The first covers the whole map. */
export type ContourMap = readonly ContourLevel[];

/** Number of levels. */
const levelCount = 22;

/**
 * The contours of a function.
 * @param columns number of values along x that the function is evaluated at
 */
export function contourMap(
  formula: Formula,
  extent: Extent,
  columns: number,
  rows: number,
): ContourMap {
  const values = gridValues(formula, extent, columns, rows);
  const thresholds = levelsOf(values, levelCount);
  const scaleX = (extent.xMax - extent.xMin) / columns;
  const scaleY = (extent.yMax - extent.yMin) / rows;
  const found = contours().size([columns, rows]).thresholds(thresholds)(Array.from(values));
  return found.map(({ value, coordinates }): ContourLevel => {
    const rings = coordinates.flat();
    const points = new Float32Array(2 * rings.reduce((sum, ring) => sum + ring.length, 0));
    const ringEnds = new Uint32Array(rings.length);
    let count = 0;
    rings.forEach((ring, i) => {
      for (const [column, row] of ring) {
        points[2 * count] = extent.xMin + column * scaleX;
        points[2 * count + 1] = extent.yMin + row * scaleY;
        count += 1;
      }
      ringEnds[i] = count;
    });
    return { value, points, ringEnds };
  });
}

/** Values at the centers of cells, by rows from the least y; values that are not finite count as the largest one. */
function gridValues(
  { valueAt }: Formula,
  { xMin, xMax, yMin, yMax }: Extent,
  columns: number,
  rows: number,
): Float64Array {
  const values = new Float64Array(columns * rows);
  let largest = -Infinity;
  for (let row = 0; row < rows; row += 1) {
    const y = yMin + ((row + 0.5) / rows) * (yMax - yMin);
    for (let column = 0; column < columns; column += 1) {
      const x = xMin + ((column + 0.5) / columns) * (xMax - xMin);
      const value = valueAt(x, y);
      values[row * columns + column] = value;
      if (Number.isFinite(value) && value > largest) largest = value;
    }
  }
  const instead = Number.isFinite(largest) ? largest : 0;
  return values.map((value) => (Number.isFinite(value) ? value : instead));
}

/**
 * Levels between which the areas grow from the bottom of the function to its top, whatever its values are: the first is
 * the least value, and more of them are near to it.
 */
export function levelsOf(values: Float64Array, count: number): number[] {
  const sorted = Float64Array.from(values).sort();
  const levels = Array.from(
    { length: count },
    (_, i) => sorted[Math.floor((i / count) ** 1.6 * (sorted.length - 1))],
  );
  return [...new Set(levels)];
}
