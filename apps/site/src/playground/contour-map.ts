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

/** Number of levels. A map whose lines would hide it has fewer. */
const levelCount = 22;
const fewLevels = 9;
/** A map with more points on its lines than this has fewer levels. */
const manyPoints = 45_000;

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
  const map = contoursOf(values, extent, columns, rows, levelCount);
  const points = map.reduce((sum, level) => sum + level.points.length / 2, 0);
  return points > manyPoints ? contoursOf(values, extent, columns, rows, fewLevels) : map;
}

function contoursOf(
  values: Float64Array,
  { xMin, xMax, yMin, yMax }: Extent,
  columns: number,
  rows: number,
  count: number,
): ContourMap {
  const scaleX = (xMax - xMin) / columns;
  const scaleY = (yMax - yMin) / rows;
  const find = contours().size([columns, rows]).thresholds(levelsOf(values, count));
  return find(Array.from(values)).map(({ value, coordinates }): ContourLevel => {
    const rings = coordinates.flat();
    const points = new Float32Array(2 * rings.reduce((sum, ring) => sum + ring.length, 0));
    const ringEnds = new Uint32Array(rings.length);
    let end = 0;
    rings.forEach((ring, i) => {
      for (const [column, row] of ring) {
        points[2 * end] = xMin + column * scaleX;
        points[2 * end + 1] = yMin + row * scaleY;
        end += 1;
      }
      ringEnds[i] = end;
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
