import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "./flush.js";

/** Lion: Chen et al. 2023, Algorithm 2. */
export const lion = /* @__PURE__ */ builtInRule({
  name: "lion",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.99),
  },
  slots: { m: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${flushThreshold("m", negligibleMean)}
  `,
  perElement: `
    ${flushStatement("m")}
    p = p - sign(m + (g - m) * c1) * learningRate
    m = m + (g - m) * c2
  `,
});
