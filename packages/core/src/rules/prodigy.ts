import { tensorLanguage } from "../language/tensor-language.js";
import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { negligibleMean, flushStatement, flushThreshold } from "../rule-fragments/flush-to-zero.js";

/**
 * Prodigy: Mishchenko & Defazio 2024, Algorithm 4, with the authors' extensions and defaults: Adam whose rate is d, an
 * estimate of the distance to the solution that all tensors share and that only grows; it is the metric `distance`.
 * `learningRate` multiplies d, and is left at 1 or follows a schedule. `beta3` of 0 stands for √β₂. `safeguardWarmup`
 * leaves the rate out of the denominator of d. `weightDecayMode: "update"` decays by the rate of the step, d included.
 */
export const prodigy = /* @__PURE__ */ builtInRule(
  {
    name: "prodigy",
    hyperparameters: {
      learningRate: nonNegative(1),
      beta1: decayRate(0.9),
      beta2: decayRate(0.999),
      beta3: decayRate(0),
      epsilon: nonNegative(1e-8),
      d0: nonNegative(1e-6),
      dCoef: nonNegative(1),
    },
    options: {
      weightDecayMode: ["update", "l2"],
      biasCorrection: [false, true],
      safeguardWarmup: [false, true],
    },
    slots: {
      m: 0,
      v: 0,
      s: 0,
      p0: "p",
      d: { extent: "all", initial: "d0" },
      numerator: { extent: "all", initial: 0 },
    },
    metrics: { distance: "all" },
    perStep: ({ biasCorrection }) => `
    c1 = 1 - beta1; c2 = 1 - beta2
    decay3 = beta3 == 0 ? sqrt(beta2) : beta3
    rate = learningRate * ${biasCorrection ? "sqrt(1 - beta2 ** t) / (1 - beta1 ** t)" : "1"}
    ${flushThreshold("m", negligibleMean)}; ${flushThreshold("s", negligibleMean)}
  `,
    // v has the scale d²·g², for which no threshold is known on the host.
    perElement: ({ safeguardWarmup, weightDecayMode }) => `
    ${flushStatement("m")}; ${flushStatement("s")}
    dRate = d * rate
    growth = d / d0
    numerator = numerator * decay3 + growth * dRate * sumAll(g * (p0 - p))
    s = s * decay3 + g * (growth * ${safeguardWarmup ? "d" : "dRate"})
    denominator = sumAll(abs(s))
    m = m * beta1 + g * (d * c1)
    v = flush(v * beta2 + g * g * (d * d * c2))
    d = max(d, (denominator > 0 ? numerator * dCoef : 0) / (denominator > 0 ? denominator : 1))
    distance = d
    u = (m / (sqrt(v) + d * epsilon) ${weightDecayMode === "update" ? "+ p * weightDecay" : ""}) * dRate
  `,
  },
  tensorLanguage,
);
