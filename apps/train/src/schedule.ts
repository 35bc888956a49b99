/** The rate falls to this share of the first. */
const lastShare = 0.02;

/** The learning rate at a step, from 0: half a cosine from `first` down to a fiftieth of it (Loshchilov and Hutter 2017). */
export function rateAt(step: number, steps: number, first: number): number {
  return first * (lastShare + ((1 - lastShare) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
}
