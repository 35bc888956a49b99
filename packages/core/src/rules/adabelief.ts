import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * AdaBelief: Zhuang et al. 2020, Algorithm 2: v is the average of (g − m)², to which `epsilonRoot` is added in each step.
 * The formulas and defaults are Optax's.
 */
export const adabelief = /* @__PURE__ */ builtInRule({
  name: "adabelief",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-16),
    epsilonRoot: nonNegative(1e-16),
  },
  slots: { m: 0, v: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    root = sqrt(1 - beta2 ** t)
    epsilonHat = epsilon * root
    rate = learningRate * root / (1 - beta1 ** t)
  `,
  perElement: `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    difference = g - m
    v = v * beta2 + difference * difference * c2 + epsilonRoot
    u = m * rate / (sqrt(v) + epsilonHat)
  `,
});
