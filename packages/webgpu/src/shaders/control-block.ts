import type { GuardCounts, StopCause } from "@gradstep/core";

/** The words of the block in which the device counts steps; the first two are f32. The persistent scalars follow them. */
export const controlWords = {
  lossScale: 0,
  /** The loss scale times `accumulate`. */
  divisor: 1,
  steps: 2,
  skippedSteps: 3,
  consecutiveSkips: 4,
  goodSteps: 5,
  missedSteps: 6,
  stops: 7,
  /** The stops after which the host has let it go on. */
  resumedStops: 8,
  /** An index of `stopCauses`. */
  stopCause: 9,
  /** Whether the scalars of the current step are not there. */
  lacksScalars: 10,
} as const;

export const stopCauses: readonly (StopCause | undefined)[] = [undefined, "nonFinite", "scalars"];

/** Where the words of the persistent scalars begin. */
export const persistentStart = 11;

/** Bytes of the block. @param persistentCount the number of persistent scalars, in f64 */
export function controlLength(persistentCount: number): number {
  return 4 * (persistentStart + 2 * persistentCount);
}

const counted = [
  "steps",
  "skippedSteps",
  "consecutiveSkips",
  "goodSteps",
  "missedSteps",
  "stops",
] as const;

export function encodeCounts(counts: GuardCounts, accumulate: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(controlLength(counts.persistent.length) / 4);
  // As the device computes it.
  const divisor = Math.fround(counts.lossScale) * accumulate;
  new Float32Array(words.buffer).set([counts.lossScale, divisor]);
  for (const name of counted) words[controlWords[name]] = counts[name];
  words[controlWords.resumedStops] = counts.stops;
  words[controlWords.stopCause] = stopCauses.indexOf(counts.stopCause);
  words.set(new Uint32Array(counts.persistent.slice().buffer), persistentStart);
  return words;
}

export function decodeCounts(bytes: ArrayBuffer): GuardCounts {
  const words = new Uint32Array(bytes);
  const [steps, skippedSteps, consecutiveSkips, goodSteps, missedSteps, stops] = counted.map(
    (name) => words[controlWords[name]],
  );
  return {
    steps,
    skippedSteps,
    consecutiveSkips,
    goodSteps,
    missedSteps,
    stops,
    stopCause: stopCauses[words[controlWords.stopCause]],
    lossScale: new Float32Array(bytes)[controlWords.lossScale],
    // The words of a f64 need not be at a multiple of 8 bytes.
    persistent: new Float64Array(bytes.slice(4 * persistentStart)),
  };
}
