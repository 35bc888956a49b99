import type { GuardCounts } from "@gradstep/core";

/** The words of the block in which the device counts steps; the first two are f32. */
export const controlWords = {
  lossScale: 0,
  /** The loss scale times `accumulate`. */
  divisor: 1,
  steps: 2,
  skippedSteps: 3,
  consecutiveSkips: 4,
  goodSteps: 5,
} as const;

/** Bytes of the block. */
export const controlLength = 24;

export function encodeCounts(counts: GuardCounts, accumulate: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(controlLength / 4);
  // As the device computes it.
  const divisor = Math.fround(counts.lossScale) * accumulate;
  new Float32Array(words.buffer).set([counts.lossScale, divisor]);
  for (const name of ["steps", "skippedSteps", "consecutiveSkips", "goodSteps"] as const)
    words[controlWords[name]] = counts[name];
  return words;
}

export function decodeCounts(bytes: ArrayBuffer): GuardCounts {
  const words = new Uint32Array(bytes);
  return {
    steps: words[controlWords.steps],
    skippedSteps: words[controlWords.skippedSteps],
    consecutiveSkips: words[controlWords.consecutiveSkips],
    goodSteps: words[controlWords.goodSteps],
    lossScale: new Float32Array(bytes)[controlWords.lossScale],
  };
}
