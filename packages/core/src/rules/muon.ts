import { tensorLanguage } from "../language/tensor-language.js";
import { builtInRule } from "../rule/built-in-rule.js";
import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import type { SlotDefinition } from "../rule/variant.js";
import { flushStatement, flushThreshold, negligibleMean } from "../rule-fragments/flush-to-zero.js";
import { momentumForms, momentumScalars, scales } from "../rule-fragments/muon-forms.js";
import { normalizedNeurons, secondMomentScalars } from "../rule-fragments/neuron-normalization.js";
import {
  iterationHyperparameters,
  iterations,
  iterationScalars,
} from "../rule-fragments/newton-schulz-iterations.js";

/**
 * Muon: Jordan et al. 2024: the momentum with its singular values brought near to 1, by `nsSteps` Newton–Schulz
 * iterations. For the matrices between the layers of a network. A vector is one column here, so that its update is its
 * direction; PyTorch refuses vectors, Keras and Optax leave them to AdamW, as `muonWithAdamw` does.
 *
 * `adjust: "rms"` gives all updates the root mean square `rmsRate`, so that rates of Adam fit (Liu et al. 2025).
 * `"original"` is PyTorch's factor, `"transposed"` Optax's, whose matrices are transposed. `polynomials:
 * "polar-express"`: Amsel et al. 2025. `secondMoments`: NorMuon, Li et al. 2025.
 */
export const muon = /* @__PURE__ */ builtInRule(
  {
    name: "muon",
    hyperparameters: {
      learningRate: nonNegative(1e-3),
      momentum: decayRate(0.95),
      beta2: decayRate(0.95),
      epsilon: nonNegative(1e-7),
      rmsRate: nonNegative(0.2),
      ...iterationHyperparameters,
    },
    options: {
      nesterov: [true, false],
      adjust: ["rms", "original", "transposed", "none"],
      secondMoments: ["none", "row", "column"],
      polynomials: ["fixed", "polar-express"],
      momentumForm: momentumForms,
    },
    slots: ({ secondMoments: extent }): Readonly<Record<string, SlotDefinition<never>>> =>
      extent === "none" ? { m: 0 } : { m: 0, v: { extent, initial: 0 } },
    perStep: (options) => `
      ${flushThreshold("m", negligibleMean)}
      ${momentumScalars(options.momentumForm, options.nesterov)}
      ${iterationScalars(options.polynomials)}
      ${secondMomentScalars(options.secondMoments)}
    `,
    perElement: ({ adjust, secondMoments }) => `
      ${flushStatement("m")}
      m = m * momentum + g * intake
      x = g * weightG + m * weightM
      x = x / max(normTensor(x) * normFactor + addedNorm, leastNorm)
      ${iterations}
      ${normalizedNeurons(secondMoments)}
      u = x * (${scales[adjust]} * learningRate)
    `,
  },
  tensorLanguage,
);
