/** The last learning rate as a fraction of the first. */
const lastFraction = 0.02;

/**
 * The learning rate of a step, counted from 0: half a cosine from `first` down to a fiftieth of it
 * (Loshchilov and Hutter 2017).
 */
export function rateAt(step: number, steps: number, first: number): number {
  const cosine = (1 + Math.cos((Math.PI * step) / steps)) / 2;
  return first * (lastFraction + (1 - lastFraction) * cosine);
}
