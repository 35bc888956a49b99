import { hyperparameters } from "../adam.js";
import type { Contender } from "./contender.js";
import { loopContender } from "./loop-contender.js";

const { learningRate, beta1, beta2, epsilon } = hyperparameters;

/** Algorithm 1 of the paper, line by line. */
function update(
  p: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  t: number,
): void {
  const correction1 = 1 - beta1 ** t;
  const correction2 = 1 - beta2 ** t;
  for (let i = 0; i < p.length; i++) {
    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    const mHat = m[i] / correction1;
    const vHat = v[i] / correction2;
    p[i] = p[i] - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
  }
}

/** The loop that most people write. */
export const hand: Contender = loopContender(
  "hand",
  "the textbook loop: m̂ and v̂ per element, three divisions",
  update,
);
