import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * Adan: Xie et al. 2022, Algorithm 1: m, d and v are averages of the gradient, of its difference to the gradient before,
 * and of the square of g + β₂·difference, all corrected as in Adam.
 *
 * The betas are the weights of the past, as in Optax; in the paper they are those of the new value. Weight decay is
 * `weightDecay`'s, not the paper's proximal step. `epsilonRoot` is added to v̂ under the root.
 */
export const adan = /* @__PURE__ */ builtInRule({
  name: "adan",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.98),
    beta2: decayRate(0.92),
    beta3: decayRate(0.99),
    epsilon: nonNegative(1e-8),
    epsilonRoot: nonNegative(0),
  },
  slots: { m: 0, d: 0, v: 0, gBefore: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    c3 = 1 - beta3
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("d", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    isFirst = t == 1 ? 1 : 0
    correction3 = 1 - beta3 ** t
    root = sqrt(correction3)
    epsilonHat = epsilon * root
    epsilonRootHat = epsilonRoot * correction3
    rateM = learningRate * root / (1 - beta1 ** t)
    rateD = learningRate * root * (1 - beta2) / (1 - beta2 ** t)
  `,
  perElement: `
    ${flushStatement("m")}
    ${flushStatement("d")}
    ${flushStatement("v")}
    difference = isFirst == 1 ? 0 : g - gBefore
    gBefore = g
    m = m + (g - m) * c1
    d = d + (difference - d) * c2
    extrapolated = g + difference * c2
    v = v * beta3 + extrapolated * extrapolated * c3
    u = (m * rateM + d * rateD) / (sqrt(v + epsilonRootHat) + epsilonHat)
  `,
});
