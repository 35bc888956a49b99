import { median } from "@gradstep/apps-shared/median";

/** The speedups of one contender over each of the others, by name: their time divided by its own. */
export function speedupsOver(
  own: string,
  times: ReadonlyMap<string, number>,
): Record<string, number> {
  const rivals = [...times].filter(([name]) => name !== own);
  return Object.fromEntries(rivals.map(([name, time]) => [name, time / times.get(own)!]));
}

/** A speedup, and how much it varies from round to round. */
export interface SpeedupSpread {
  /** Of the medians. */
  readonly speedup: number;
  /** Quartiles of the speedups of single rounds. */
  readonly quartiles: readonly [lower: number, upper: number];
}

/** The speedup of a contender over a rival, from their times in the same rounds. */
export function speedupSpread(own: readonly number[], rival: readonly number[]): SpeedupSpread {
  const perRound = own.map((time, round) => rival[round] / time).sort((a, b) => a - b);
  const quantile = (fraction: number): number =>
    perRound[Math.round(fraction * (perRound.length - 1))];
  return {
    speedup: median(rival) / median(own),
    quartiles: [quantile(0.25), quantile(0.75)],
  };
}
