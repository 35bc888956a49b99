import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/rule.js";
import { negligibleMean, negligibleSquare, flushStatement, flushThreshold } from "./flush.js";

/**
 * Nadam: Dozat 2016, Algorithm 2 with the schedule of momenta μₜ = β₁(1 − ½·0.96^(t·momentumDecay)).
 *
 * `momentumDecay` is 1 in Keras and 0.004 in PyTorch. The product of all μ is carried from step to step;
 * PyTorch multiplies and keeps it in f32 (`productIn: "f32"`).
 * ε has the paper's place, as in Keras and PyTorch.
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
  options: { productIn: ["f64", "f32"] },
  slots: { m: 0, v: 0 },
  persistentScalars: { product: 1 },
  perStep: ({ productIn }) => `
    c1 = 1 - beta1
    c2 = 1 - beta2
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
  perElement: `
    ${flushStatement("m")}
    ${flushStatement("v")}
    m = m + (g - m) * c1
    v = v + (g * g - v) * c2
    p = p - (m * rateM + g * rateG) / (sqrt(v) + epsilonHat)
  `,
});
