import { Random } from "../suite/random/random.js";

/** How many of a list, and the seed that chooses them. */
export interface Sample {
  readonly count: number;
  readonly seed: number;
}

/** Some of a list, in its order; all if there is no sample. */
export function sampleOf<T>(all: readonly T[], sample: Sample | undefined): readonly T[] {
  if (sample === undefined) return all;
  const random = new Random(sample.seed);
  const ranks = new Map(all.map((one) => [one, random.unit()]));
  const sorted = [...all].sort((a, b) => ranks.get(a)! - ranks.get(b)!);
  const chosen = new Set(sorted.slice(0, sample.count));
  return all.filter((one) => chosen.has(one));
}
