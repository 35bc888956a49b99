import { seededRandom } from "@gradstep/apps-shared/random";

/**
 * Standard normal numbers, two per step: the noise of the gradient at each step, the same for all runners.
 * @param seed an integer
 */
export function gradientNoise(seed: number, steps: number): Float64Array {
  const random = seededRandom(seed);
  const noise = new Float64Array(2 * steps);
  for (let step = 0; step < steps; step += 1) {
    // Box and Muller's pair; 1 − random is not 0.
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    noise[2 * step] = radius * Math.cos(angle);
    noise[2 * step + 1] = radius * Math.sin(angle);
  }
  return noise;
}
