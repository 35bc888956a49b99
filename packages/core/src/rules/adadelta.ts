import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { averageOfSquares, squareFactors } from "../rule-fragments/average-of-squares.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMagnitude,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * Adadelta: Zeiler 2012, Algorithm 1.
 *
 * v is the average of g², d that of the squared updates. `averageForm` is how both are rounded, as in `adam`:
 * `"sum-of-squares"` in Keras and Optax, `"sum"` in PyTorch.
 * `gradientAverage`: `"current"` divides by the root of the average that includes g², as the paper does; `"previous"` by
 * that of the steps before, as TF.js does.
 */
export const adadelta = /* @__PURE__ */ builtInRule({
  name: "adadelta",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    rho: decayRate(0.95),
    epsilon: nonNegative(1e-7),
  },
  options: {
    averageForm: ["sum-of-squares", "sum"],
    gradientAverage: ["current", "previous"],
  },
  slots: { v: 0, d: 0 },
  perStep: ({ averageForm }) => `
    c = 1 - rho
    ${squareFactors(averageForm, "c")}
    ${flushThreshold("v", negligibleMagnitude)}
    ${flushThreshold("d", negligibleMagnitude)}
  `,
  perElement: ({ averageForm, gradientAverage }) => {
    const average = averageOfSquares(averageForm, "rho", "c");
    const update = "x = sqrt(d + epsilon) * g / sqrt(v + epsilon)";
    return `
      ${flushStatement("v")}
      ${flushStatement("d")}
      ${gradientAverage === "current" ? `${average}\n${update}` : `${update}\n${average}`}
      ${averageOfSquares(averageForm, "rho", "c", { average: "d", value: "x" })}
      u = x * learningRate
    `;
  },
});
