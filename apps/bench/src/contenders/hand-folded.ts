import { hyperparameters } from "../adam.js";
import type { Contender } from "./contender.js";
import { loopContender } from "./loop-contender.js";

const { learningRate, beta1, beta2, epsilon } = hyperparameters;

/** The paper's Section 2, last paragraph: both corrections are folded into the learning rate and ε, once per step. */
function update(
  p: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  t: number,
): void {
  const root = Math.sqrt(1 - beta2 ** t);
  const rate = (learningRate * root) / (1 - beta1 ** t);
  const epsilonHat = epsilon * root;
  for (let i = 0; i < p.length; i++) {
    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    p[i] = p[i] - (rate * m[i]) / (Math.sqrt(v[i]) + epsilonHat);
  }
}

/** The optimized form of that loop. */
export const handFolded: Contender = loopContender(
  "hand-folded",
  "that loop, with the corrections folded into rate and epsilon",
  update,
);
