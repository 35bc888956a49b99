import { tensorLanguage } from "../language/tensor-language.js";
import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import type { SlotDefinition } from "../rule/variant.js";
import { flushStatement, flushThreshold, negligibleMean } from "../rule-fragments/flush-to-zero.js";
import {
  coefficientsOf,
  iterations,
  maxIterations,
  safetyFactor,
} from "../rule-fragments/newton-schulz-iterations.js";

/** What the update is multiplied by, from the shape of the matrix. */
const scales = {
  rms: "sqrt(max(rows, columns)) * rmsRate",
  original: "sqrt(max(1, rows / columns))",
  transposed: "sqrt(max(1, columns / rows))",
  none: "1",
} as const;

/** The weight of the gradient in m, and those of the gradient and of m in the update. */
const momentumForms = {
  keras: { intake: "1", nesterov: ["1", "momentum"], plain: "1" },
  torch: { intake: "1 - momentum", nesterov: ["1 - momentum", "momentum"], plain: "1" },
  optax: {
    intake: "1 - momentum",
    nesterov: ["(1 - momentum) / (1 - momentum ** t)", "momentum / (1 - momentum ** (t + 1))"],
    plain: "1 / (1 - momentum ** t)",
  },
} as const;

/**
 * Muon: Jordan et al. 2024: the momentum with its singular values brought near to 1, by `nsSteps` Newton–Schulz
 * iterations. For the matrices between the layers of a network; tensors with more dimensions are flattened to their
 * first one.
 *
 * `adjust: "rms"` gives updates of all shapes the root mean square `rmsRate`, so that learning rates of Adam fit (Liu et
 * al. 2025, as in Keras); `"original"` multiplies by √max(1, rows / columns), as PyTorch does; `"transposed"` by √max(1,
 * columns / rows), as Optax does, whose matrices are transposed.
 * `polynomials: "polar-express"`: Amsel et al. 2025, in place of `muonA`, `muonB` and `muonC` for all iterations.
 * `secondMoments`: NorMuon, Li et al. 2025, divides each row (or column, for matrices of Keras and TF.js, in which a
 * neuron is a column) by the root of the average of its squares, with the norm of the matrix unchanged.
 * `momentumForm` is how the library computes m and its Nesterov step; it also chooses what prevents a division by 0.
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
      nsSteps: { default: 5, min: 0, max: maxIterations },
      muonA: { default: 3.4445 },
      muonB: { default: -4.775 },
      muonC: { default: 2.0315 },
    },
    options: {
      nesterov: [true, false],
      adjust: ["rms", "original", "transposed", "none"],
      secondMoments: ["none", "row", "column"],
      polynomials: ["fixed", "polar-express"],
      momentumForm: ["keras", "torch", "optax"],
    },
    slots: ({ secondMoments }): Readonly<Record<string, SlotDefinition<never>>> =>
      secondMoments === "none" ? { m: 0 } : { m: 0, v: { extent: secondMoments, initial: 0 } },
    perStep: ({ nesterov, polynomials, momentumForm, secondMoments }) => {
      const { intake, nesterov: weights, plain } = momentumForms[momentumForm];
      const [weightG, weightM] = nesterov ? weights : ["0", plain];
      const isTorch = momentumForm === "torch";
      return `
      ${flushThreshold("m", negligibleMean)}
      intake = ${intake}
      weightG = ${weightG}
      weightM = ${weightM}
      normFactor = ${polynomials === "polar-express" ? safetyFactor : 1}
      addedNorm = ${isTorch ? "0" : "epsilon"}
      leastNorm = ${isTorch ? "epsilon" : "0"}
      ${coefficientsOf(polynomials)}
      ${secondMoments === "none" ? "" : `${flushThreshold("v", negligibleMean)}\nweightV = 1 - beta2`}
    `;
    },
    perElement: ({ adjust, secondMoments }) => `
    ${flushStatement("m")}
    m = m * momentum + g * intake
    x = g * weightG + m * weightM
    x = x / max(normTensor(x) * normFactor + addedNorm, leastNorm)
    ${iterations}
    ${secondMoments === "none" ? "" : normalized(secondMoments)}
    u = x * (${scales[adjust]} * learningRate)
  `,
  },
  tensorLanguage,
);

/** Divides the rows or columns of x by the root of the average of their squares. */
function normalized(lines: "row" | "column"): string {
  const mean = lines === "row" ? "meanRow" : "meanColumn";
  return `
    ${flushStatement("v")}
    v = v + (${mean}(x * x) - v) * weightV
    y = x / (sqrt(v) + 1e-10)
    x = y * (normTensor(x) / (normTensor(y) + 1e-10))`;
}
