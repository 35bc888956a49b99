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
 * Nadam: Dozat 2016, Algorithm 2 with the schedule of momenta μₜ = β₁(1 − ½·0.96^(t·momentumDecay)).
 *
 * `momentumDecay` is 1 in Keras and 0.004 in PyTorch. The product of all μ is kept from step to step; PyTorch computes
 * and stores it in f32 (`productIn: "f32"`). ε is added as in the paper, as in Keras and PyTorch. `averageForm` is as in
 * `adam`.
 */
export const nadam = /* @__PURE__ */ builtInRule({
  name: "nadam",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-7),
    momentumDecay: nonNegative(1),
  },
  options: { productIn: ["f64", "f32"], averageForm: averageForms },
  slots: { m: 0, v: 0 },
  persistentScalars: { product: 1 },
  perStep: ({ productIn, averageForm }) => `
    c1 = 1 - beta1
    c2 = 1 - beta2
    ${squareFactors(averageForm, "c2")}
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("v", negligibleSquare)}
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay))
    muNext = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentumDecay))
    product = ${productIn === "f32" ? "f32(product * f32(mu))" : "product * mu"}
    root = sqrt(1 - beta2 ** t)
    rateM = learningRate * root * muNext / (1 - product * muNext)
    rateG = learningRate * root * (1 - mu) / (1 - product)
    epsilonHat = epsilon * root
  `,
  perElement: ({ averageForm }) => `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    ${averageOfSquares(averageForm, "beta2", "c2")}
    u = (m * rateM + g * rateG) / (sqrt(v) + epsilonHat)
  `,
});
