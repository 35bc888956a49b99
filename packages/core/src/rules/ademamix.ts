import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * AdEMAMix: Pagliardini, Ablin & Grangier 2024, Algorithm 1: Adam with a second, slow mean of the gradients, which is not
 * corrected and has the weight `alpha`.
 *
 * Their schedules of `alpha` and `beta3` are set between steps: `optimizer.alpha = …`. `epsilonRoot` is added to v̂ under
 * the root.
 */
export const ademamix = /* @__PURE__ */ builtInRule({
  name: "ademamix",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    beta3: decayRate(0.9999),
    alpha: nonNegative(5),
    epsilon: nonNegative(1e-8),
    epsilonRoot: nonNegative(0),
  },
  slots: { m1: 0, m2: 0, v: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    c3 = 1 - beta3
    ${flushThreshold("m1", negligibleMean)}
    ${flushThreshold("m2", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    correction2 = 1 - beta2 ** t
    root = sqrt(correction2)
    epsilonHat = epsilon * root
    epsilonRootHat = epsilonRoot * correction2
    rate1 = learningRate * root / (1 - beta1 ** t)
    rate2 = learningRate * root * alpha
  `,
  perElement: `
    ${flushStatement("m1")}
    ${flushStatement("m2")}
    ${flushStatement("v")}
    m1 = m1 + (g - m1) * c1
    m2 = m2 + (g - m2) * c3
    v = v * beta2 + g * g * c2
    u = (m1 * rate1 + m2 * rate2) / (sqrt(v + epsilonRootHat) + epsilonHat)
  `,
});
