import { newRow } from "@gradstep/core";
import type { Random } from "./random.js";

/** How rows are moved. */
export interface RandomRemap {
  readonly kind: string;
  /** The source of each new row. */
  readonly indices: Uint32Array;
  /** Not 0 for new rows whose slots are reset; none if undefined. */
  readonly resetRows: Uint32Array | undefined;
}

/**
 * Rows in another order, fewer, more, or any; often some of which are reset.
 * @param capacity the most rows there may be
 */
export function randomRemap(count: number, capacity: number, random: Random): RandomRemap {
  const all = Array.from({ length: count }, (_, i) => i);
  const free = capacity - count;
  const some = (length: number, pick: () => number): number[] => Array.from({ length }, pick);
  const anyRow = (): number => random.integer(0, count - 1);
  const kind = random.pick(["shuffle", "prune", "append", "clone", "gather"]);
  let indices: number[];
  if (kind === "shuffle") {
    indices = all
      .map((row): [number, number] => [random.unit(), row])
      .sort(([a], [b]) => a - b)
      .map(([, row]) => row);
  } else if (kind === "prune") {
    indices = all.filter(() => random.chance(0.6));
    if (indices.length === 0) indices = [count - 1];
  } else if (kind === "append") {
    indices = [...all, ...some(random.integer(0, free), () => newRow)];
  } else if (kind === "clone") {
    indices = [...all, ...some(random.integer(0, free), anyRow)];
  } else {
    indices = some(random.integer(1, capacity), () => (random.chance(0.2) ? newRow : anyRow()));
  }
  const resetRows = random.chance(0.5)
    ? Uint32Array.from(indices, () => (random.chance(0.3) ? random.pick([1, 2 ** 31]) : 0))
    : undefined;
  return { kind, indices: Uint32Array.from(indices), resetRows };
}
