import { Random } from "../suite/random/random.js";

/** How many of a list, and the seed that chooses them. */
export interface Sample {
  readonly count: number;
  readonly seed: number;
}

/** Some of a list, in its order; all if there is no sample. */
export function sampleOf<T>(all: readonly T[], sample: Sample | undefined): readonly T[] {
  if (sample === undefined) return all;
  const { count, seed } = sample;
  const chosen = new Set(new Random(seed).sample(all, Math.min(count, all.length)));
  return all.filter((one) => chosen.has(one));
}
