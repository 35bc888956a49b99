/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Got no values; expected at least one.");
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Own value over each other's, by name: 0.5 against a rival is half its time. */
export function ratiosTo(own: string, values: ReadonlyMap<string, number>): Record<string, number> {
  const rivals = [...values].filter(([name]) => name !== own);
  return Object.fromEntries(rivals.map(([name, value]) => [name, values.get(own)! / value]));
}
