import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * Lion: Chen et al. 2023, Algorithm 2.
 *
 * `averageForm`: `"difference"` is m + (g − m)·(1 − β); `"sum"`, β·m + (1 − β)·g, is what Keras and Optax compute. After
 * an infinite gradient the first gives NaN; with the second the sign, and so the step, stays finite.
 */
export const lion = /* @__PURE__ */ builtInRule({
  name: "lion",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.99),
  },
  options: { averageForm: ["difference", "sum"] },
  slots: { m: 0 },
  perStep: `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${flushThreshold("m", negligibleMean)}
  `,
  perElement: ({ averageForm }) => `
    ${flushStatement("m")}
    u = sign(${average(averageForm, "beta1", "c1")}) * learningRate
    m = ${average(averageForm, "beta2", "c2")}
  `,
});

/** The average of m and g. @param decay β @param weight 1 − β */
function average(form: "difference" | "sum", decay: string, weight: string): string {
  return form === "difference" ? `m + (g - m) * ${weight}` : `m * ${decay} + g * ${weight}`;
}
