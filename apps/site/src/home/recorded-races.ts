import type { Path } from "../playground/path.js";

/** Coordinates are recorded in steps of this size: a tenth of a pixel. */
const unit = 0.002;

/** Per race and optimizer, how far each point is from the one before, x and y in turn, in `unit`. */
export type RecordedRaces = readonly (readonly (readonly number[])[])[];

/** The points of a path as short numbers. */
export function record({ points }: Pick<Path, "points">): readonly number[] {
  const rounded = Array.from(points, (one) => Math.round(one / unit));
  return rounded.map((one, i) => one - (i < 2 ? 0 : rounded[i - 2]));
}

/** The points of a recorded path. */
export function recalled(differences: readonly number[]): Pick<Path, "points"> {
  const rounded = new Int32Array(differences.length);
  differences.forEach((difference, i) => {
    rounded[i] = difference + (i < 2 ? 0 : rounded[i - 2]);
  });
  return { points: Float32Array.from(rounded, (one) => unit * one) };
}
