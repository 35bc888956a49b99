import { rowLength } from "../splat-rows.js";
import { density } from "../training-settings.js";
import type { SplatStatistics } from "./renderer.js";

/** Which rows follow a round of pruning and splitting. */
export interface Round {
  /** The previous index of each row. */
  readonly sources: Uint32Array<ArrayBuffer>;
  /** 0 for a row that stays as it is, 1 and 2 for the halves of one that is split. */
  readonly halves: Uint32Array<ArrayBuffer>;
  readonly pruned: number;
  readonly split: number;
}

/**
 * Prunes splats that color nothing, unless none would remain, and splits those with the largest errors. Rows stay in
 * their order.
 */
export function chooseRows(
  activated: Float32Array,
  count: number,
  { coverage, error }: SplatStatistics,
  capacity: number,
): Round {
  const rows = Array.from({ length: count }, (_, row) => row);
  const visible = rows.filter(
    (row) =>
      activated[row * rowLength + 7] >= density.minOpacity && coverage[row] >= density.minCoverage,
  );
  const kept = visible.length === 0 ? rows : visible;
  const budget = Math.min(capacity - kept.length, Math.floor(kept.length * density.growth));
  const widest = visible
    .filter(
      (row) =>
        Math.max(activated[row * rowLength + 2], activated[row * rowLength + 3]) >=
        density.minSplitScale,
    )
    .sort((one, other) => error[other] - error[one]);
  const split = new Set(widest.slice(0, budget));
  return {
    sources: Uint32Array.from(kept.flatMap((row) => (split.has(row) ? [row, row] : [row]))),
    halves: Uint32Array.from(kept.flatMap((row) => (split.has(row) ? [1, 2] : [0]))),
    pruned: count - kept.length,
    split: split.size,
  };
}

/** Halves of a splat are on both sides of its center, on its longer axis. */
export function divideRows(parameters: Float32Array, halves: Uint32Array): void {
  halves.forEach((half, row) => {
    if (half === 0) return;
    const at = row * rowLength;
    const longer = parameters[at + 3] > parameters[at + 2] ? 1 : 0;
    const [cosine, sine] = parameters.subarray(at + 8, at + 10);
    const side = half === 1 ? 1 : -1;
    const length = density.splitOffset * Math.exp(parameters[at + 2 + longer]);
    const offset = (side * length) / Math.hypot(cosine, sine);
    parameters[at] += offset * (longer === 0 ? cosine : -sine);
    parameters[at + 1] += offset * (longer === 0 ? sine : cosine);
    parameters[at + 2 + longer] += Math.log(density.splitScale);
  });
}
