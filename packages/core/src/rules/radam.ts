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
 * RAdam: Liu et al. 2020, Algorithm 2. The adaptive rate is used, rectified, once the average of squares has an
 * approximate length of `threshold` steps; before that, the update is the corrected mean of the gradients.
 *
 * `epsilonMode: "uncorrected"` adds ε to √v, as PyTorch does; `"corrected"` adds it to √v̂, as Optax does. `averageForm` is
 * as in `adam`: `"sum"` in PyTorch, `"sum-of-squares"` in Optax. `epsilonRoot` is added to v̂ under the root.
 */
export const radam = /* @__PURE__ */ builtInRule({
  name: "radam",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-8),
    epsilonRoot: nonNegative(0),
    threshold: nonNegative(5),
  },
  options: { epsilonMode: ["uncorrected", "corrected"], averageForm: ["sum", "sum-of-squares"] },
  slots: { m: 0, v: 0 },
  perStep: ({ epsilonMode, averageForm }) => `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${squareFactors(averageForm, "c2")}
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    correction2 = 1 - beta2 ** t
    root = sqrt(correction2)
    epsilonHat = ${epsilonMode === "corrected" ? "epsilon * root" : "epsilon"}
    epsilonRootHat = epsilonRoot * correction2
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2 ** t / correction2
    isRectified = length < max(threshold, 4) ? 0 : 1
    rectification = sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
    rate = learningRate / (1 - beta1 ** t) * (isRectified == 1 ? root * rectification : 1)
  `,
  perElement: ({ averageForm }) => `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    ${averageOfSquares(averageForm, "beta2", "c2")}
    u = m * rate / (isRectified == 1 ? sqrt(v + epsilonRootHat) + epsilonHat : 1)
  `,
});
