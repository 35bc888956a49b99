import { tensorLanguage } from "../language/tensor-language.js";
import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { averageOfSquares, squareFactors } from "../rule-fragments/average-of-squares.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * LAMB: You et al. 2020, Algorithm 2: Adam's update of each tensor, scaled to the norm of the tensor.
 *
 * `weightDecayMode: "update"` adds weightDecay·p to the update before its norm is taken, as in the paper and Optax; Keras
 * decays the parameter first, which is the default. `epsilonRoot` is added to v̂ under the root. `averageForm` is as in
 * `adam`.
 */
export const lamb = /* @__PURE__ */ builtInRule(
  {
    name: "lamb",
    hyperparameters: {
      learningRate: nonNegative(1e-3),
      beta1: decayRate(0.9),
      beta2: decayRate(0.999),
      epsilon: nonNegative(1e-7),
      epsilonRoot: nonNegative(0),
    },
    options: {
      weightDecayMode: ["decoupled", "l2", "update"],
      averageForm: ["difference", "sum-of-squares"],
    },
    slots: { m: 0, v: 0 },
    perStep: ({ averageForm }) => `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${squareFactors(averageForm, "c2")}
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    correction2 = 1 - beta2 ** t
    root = sqrt(correction2)
    epsilonHat = epsilon * root
    epsilonRootHat = epsilonRoot * correction2
    scale = root / (1 - beta1 ** t)
  `,
    perElement: ({ averageForm, weightDecayMode }) => `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    ${averageOfSquares(averageForm, "beta2", "c2")}
    r = m * scale / (sqrt(v + epsilonRootHat) + epsilonHat) ${weightDecayMode === "update" ? "+ p * weightDecay" : ""}
    normP = normTensor(p)
    normR = normTensor(r)
    ratio = normP > 0 ? (normR > 0 ? normP : 1) / (normR > 0 ? normR : 1) : 1
    u = r * (ratio * learningRate)
  `,
  },
  tensorLanguage,
);
