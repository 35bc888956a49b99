import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleMagnitude,
  negligibleMean,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";

/**
 * AdaMax: Kingma & Ba 2015, Algorithm 2, where `norm` is called u.
 *
 * `epsilonMode`: `"outside"` divides by norm + ε, as Keras and TF.js do; `"inside"` takes the maximum with |g| + ε, as
 * PyTorch and Optax do. The rate of step t is learningRate / (1 + (t − 1)·learningRateDecay).
 */
export const adamax = /* @__PURE__ */ builtInRule({
  name: "adamax",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-7),
    learningRateDecay: nonNegative(0),
  },
  options: { epsilonMode: ["outside", "inside"] },
  slots: { m: 0, norm: 0 },
  perStep: `
    c1 = 1 - beta1
    ${flushThreshold("m", negligibleMean)}
    ${flushThreshold("norm", negligibleMagnitude)}
    rate = learningRate / (1 + (t - 1) * learningRateDecay) / (1 - beta1 ** t)
  `,
  perElement: ({ epsilonMode }) => `
    ${flushStatement("m")}
    ${flushStatement("norm")}
    m = m + (g - m) * c1
    norm = max(norm * beta2, abs(g)${epsilonMode === "inside" ? " + epsilon" : ""})
    u = m * rate / ${epsilonMode === "inside" ? "norm" : "(norm + epsilon)"}
  `,
});
