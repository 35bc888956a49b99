/** Three significant digits, or all before the point: 0.0312, 3.40, 12.3, 1,234. */
export function threeDigits(value: number): string {
  return value >= 1000
    ? count(Math.round(value))
    : value.toLocaleString("en-US", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

/** A whole number with separators, and a noun in the right number: `109,386`, `1 step`, `2 batches`. */
export function count(value: number, noun?: string, plural: string = `${noun}s`): string {
  const number = value.toLocaleString("en-US");
  return noun === undefined ? number : `${number} ${value === 1 ? noun : plural}`;
}

/**
 * A speedup as `3.72×`. Everywhere in the trainer and in the benchmarks, the speedup of A over B is the time of B
 * divided by the time of A: above 1, A is faster.
 */
export function speedupText(speedup: number): string {
  return `${threeDigits(speedup)}×`;
}
