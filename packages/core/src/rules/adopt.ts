import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * ADOPT: Taniguchi et al. 2024, Algorithm 2: each gradient is divided by the root of the average before it, and clipped to
 * ±(t − 1)^¼ before it enters the mean. The first step only starts the average of squares.
 *
 * Without `useClipping` it is their Algorithm 1.
 */
export const adopt = /* @__PURE__ */ builtInRule({
  name: "adopt",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.9999),
    epsilon: nonNegative(1e-6),
  },
  options: { useClipping: [true, false] },
  slots: { m: 0, v: 0 },
  // Without clipping, the limit is the largest f32.
  perStep: ({ useClipping }) => `
    c1 = t == 1 ? 0 : 1 - beta1
    c2 = t == 1 ? 1 : 1 - beta2
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    limit = ${useClipping ? "(t - 1) ** 0.25" : "t == 1 ? 0 : (2 - 2 ** -23) * 2 ** 127"}
  `,
  perElement: `
    ${flushStatement("m")}
    ${flushStatement("v")}
    normalized = g / max(sqrt(v), epsilon)
    m = m + (max(min(normalized, limit), -limit) - m) * c1
    v = v * beta2 + g * g * c2
    u = m * learningRate
  `,
});
