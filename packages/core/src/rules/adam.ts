import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import {
  averageForms,
  averageOfSquares,
  squareFactors,
} from "../rule-fragments/average-of-squares.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMean,
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * Adam: Kingma & Ba 2015.
 *
 * `epsilonMode: "keras"` is the form just before their Section 2.1, ε added to √v before the correction (their ε̂);
 * `"paper"` is Algorithm 1, m̂ / (√v̂ + ε), as PyTorch, Optax and TF.js compute it. The two differ by the factor
 * √(1 − β₂ᵗ) on ε, so that one kernel serves both.
 * `amsgrad`: Reddi, Kale & Kumar 2018, the maximum of v; of v̂ with `amsgradOf: "corrected"`, as in Optax.
 * `nesterov`: Dozat 2016 in Optax's form, with β₁ constant; `nadam` is the form with the growing momentum.
 * `epsilonRoot` is added to v̂ under the root (Optax's `eps_root`).
 * `biasCorrection: false` uses m and v as they are.
 * `averageForm` is how v is rounded: `"difference"` as in Keras with TensorFlow or JAX; `"sum"` as in PyTorch,
 * `"sum-of-squares"` as in Optax, TF.js and Keras with PyTorch, which stay finite after a gradient whose square is not an
 * f32 (|g| above 1.8e19).
 *
 * Use an `epsilon` of 1e-30 or more: GPUs take subnormal numbers for 0, and 0 / 0 is NaN where the gradient is 0.
 */
export const adam = /* @__PURE__ */ builtInRule({
  name: "adam",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-7),
    epsilonRoot: nonNegative(0),
  },
  options: {
    amsgrad: [false, true],
    nesterov: [false, true],
    epsilonMode: ["keras", "paper"],
    amsgradOf: ["raw", "corrected"],
    averageForm: averageForms,
    biasCorrection: [true, false],
  },
  structural: ["epsilonRoot"],
  slots: ({ amsgrad }): Record<string, number> =>
    amsgrad ? { m: 0, v: 0, vMax: 0 } : { m: 0, v: 0 },
  // In f64, because in f32 the difference 1 − β₂ is wrong in its fifth digit.
  perStep: (choices) => {
    const { amsgrad, nesterov, epsilonMode, amsgradOf, averageForm, biasCorrection, epsilonRoot } =
      choices;
    const corrected = amsgrad && amsgradOf === "corrected";
    const correction = (decay: string, step: string) =>
      biasCorrection ? `(1 - ${decay} ** ${step})` : "1";
    return `
      c1 = 1 - beta1
      c2 = 1 - beta2
      ${squareFactors(averageForm, "c2")}
      ${flushThreshold("m", negligibleMean)}
      ${flushThreshold("v", negligibleSquare)}
      correction2 = ${correction("beta2", "t")}
      ${amsgrad ? `scaleV = ${corrected ? "1 / correction2" : "1"}` : ""}
      root = ${corrected ? "1" : "sqrt(correction2)"}
      epsilonHat = ${epsilonMode === "paper" ? "epsilon * root" : "epsilon"}
      ${epsilonRoot ? "epsilonRootHat = epsilonRoot * root * root" : ""}
      ${
        nesterov
          ? `rateM = learningRate * root * beta1 / ${correction("beta1", "(t + 1)")}
             rateG = learningRate * root * (1 - beta1) / ${correction("beta1", "t")}`
          : `rate = learningRate * root / ${correction("beta1", "t")}`
      }
    `;
  },
  perElement: ({ amsgrad, nesterov, averageForm, epsilonRoot }) => `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    ${averageOfSquares(averageForm, "beta2", "c2")}
    ${amsgrad ? "vMax = max(vMax, v * scaleV)" : ""}
    u = ${nesterov ? "(m * rateM + g * rateG)" : "m * rate"} / (sqrt(${amsgrad ? "vMax" : "v"}${epsilonRoot ? " + epsilonRootHat" : ""}) + epsilonHat)
  `,
});
