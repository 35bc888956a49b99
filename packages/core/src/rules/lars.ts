import { tensorLanguage } from "../language/tensor-language.js";
import { fraction, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * LARS: You, Gitman & Ginsburg 2017, Algorithm 1, in Optax's form: gradient descent with momentum, where the gradient of
 * each tensor, weight decay included, is scaled to `trustCoefficient` times the norm of the tensor.
 */
export const lars = /* @__PURE__ */ builtInRule(
  {
    name: "lars",
    hyperparameters: {
      learningRate: nonNegative(0.01),
      momentum: fraction(0.9),
      trustCoefficient: nonNegative(1e-3),
      epsilon: nonNegative(0),
    },
    options: { weightDecayMode: ["l2", "decoupled"], nesterov: [false, true] },
    slots: { m: 0 },
    perStep: flushThreshold("m", negligibleMean),
    perElement: ({ nesterov }) => `
    ${flushStatement("m")}
    normP = normTensor(p)
    normG = normTensor(g)
    ratio = normP > 0 ? (normG > 0 ? normP * trustCoefficient : 1) / (normG > 0 ? normG + epsilon : 1) : 1
    x = g * (ratio * learningRate)
    m = m * momentum + x
    u = ${nesterov ? "m * momentum + x" : "m"}
  `,
  },
  tensorLanguage,
);
