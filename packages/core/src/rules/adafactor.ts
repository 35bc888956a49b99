import { tensorLanguage } from "../language/tensor-language.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";

/**
 * Adafactor: Shazeer & Stern 2018, Algorithms 4 and 5. The average of g² is kept as an average per row and one per column
 * of the last two dimensions, so that it takes almost no memory.
 *
 * `epsilonMode: "added"` adds `epsilon1` to g², as Keras does; `"minimum"` makes it the least mean and the least root of
 * the estimate, as PyTorch does. A tensor with one dimension is a single column: its average per row is that of each
 * element, and the average per column cancels.
 *
 * The rate of step t is min(learningRate, 1/√t) times the root mean square of the tensor, which counts as at least
 * `epsilon2`; the weight of the new value in an average is t^`beta2Decay`.
 */
export const adafactor = /* @__PURE__ */ builtInRule(
  {
    name: "adafactor",
    hyperparameters: {
      learningRate: nonNegative(1e-3),
      beta2Decay: { default: -0.8, max: 0 },
      epsilon1: nonNegative(1e-30),
      epsilon2: nonNegative(1e-3),
      clipThreshold: nonNegative(1),
    },
    options: { epsilonMode: ["added", "minimum"] },
    matrices: "last",
    slots: { r: { extent: "row", initial: 0 }, c: { extent: "column", initial: 0 } },
    // Both forms have one kernel: what the other one adds is 0, as is its minimum.
    // PyTorch takes the rate from the parameter before it decays.
    perStep: ({ epsilonMode }) => `
    weight = t ** beta2Decay
    beta2 = 1 - weight
    added = ${epsilonMode === "added" ? "epsilon1" : "0"}
    least = ${epsilonMode === "minimum" ? "epsilon1" : "0"}
    rate = min(learningRate, 1 / sqrt(t))
    scaleP = ${epsilonMode === "minimum" ? "1 / decay" : "1"}
  `,
    // A gradient whose square overflows makes an average ∞ for good, not NaN, because it is a sum of two products. Without
    // rows to estimate, its element stays where it is, and the others go on.
    // meanColumn(r) of elements, because each matrix of a batch has its own mean. Roots before the product, because a
    // product of small averages is not an f32.
    perElement: `
    square = g * g + added
    r = r * beta2 + meanRow(square) * weight
    c = c * beta2 + meanColumn(square) * weight
    mean = meanColumn(r + 0 * g)
    root = max(columns == 1 ? sqrt(r) : sqrt(r / max(mean, least)) * sqrt(c), least)
    x = g / root
    alpha = max(epsilon2, sqrt(meanTensor(p * p)) * scaleP) * rate
    u = x * (alpha / max(1, sqrt(meanTensor(x * x)) / clipThreshold))
  `,
  },
  tensorLanguage,
);
