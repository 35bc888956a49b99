/** The digit of the largest probability; undefined if they are not numbers, as those of a run that has diverged. */
export function mostProbableDigit(probabilities: Float32Array): number | undefined {
  const digit = probabilities.indexOf(Math.max(...probabilities));
  return digit < 0 ? undefined : digit;
}
