import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * Yogi: Zaheer et al. 2018: v moves towards g² by (1 − β₂)·g², whatever its distance. Both averages start at
 * `initialAccumulatorValue` and are corrected as in Adam, as in Optax.
 */
export const yogi = /* @__PURE__ */ builtInRule({
  name: "yogi",
  hyperparameters: {
    learningRate: nonNegative(0.01),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-3),
    initialAccumulatorValue: nonNegative(1e-6),
  },
  slots: { m: "initialAccumulatorValue", v: "initialAccumulatorValue" },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${flushThreshold("m", negligibleMean)}
    root = sqrt(1 - beta2 ** t)
    epsilonHat = epsilon * root
    rate = learningRate * root / (1 - beta1 ** t)
  `,
  perElement: `
    ${flushStatement("m")}
    m = m + (g - m) * c1
    square = g * g
    v = v - sign(v - square) * square * c2
    u = m * rate / (sqrt(v) + epsilonHat)
  `,
});
