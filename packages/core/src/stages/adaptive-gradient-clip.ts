import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { clipFactor } from "../rule-fragments/clip-factor.js";

/**
 * Adaptive gradient clipping: Brock et al. 2021, Equation 3: clips the norm of the gradient of each output unit to
 * `agcClipping` times the norm of its weights, which counts as at least `agcEpsilon`. Optax's `adaptive_grad_clip`.
 *
 * The weights of a unit are a column (TensorFlow's and JAX's layout of a dense layer) or a row (PyTorch's layout of all
 * layers), as `agcAxis` says; a tensor with one dimension is one unit.
 */
export const adaptiveGradientClip = /* @__PURE__ */ builtInStage({
  name: "adaptive-gradient-clip",
  hyperparameters: { agcClipping: nonNegative(0.01), agcEpsilon: nonNegative(1e-3) },
  options: { agcAxis: ["column", "row"] },
  perElement: ({ agcAxis }) => `
    normG = ${unitNorm("g", agcAxis)}
    normP = ${unitNorm("p", agcAxis)}
    limit = max(normP, agcEpsilon) * agcClipping
    g = g * ${clipFactor("normG", "limit")}
  `,
});

/** A column of a tensor with one dimension is all of it. */
function unitNorm(array: string, axis: "column" | "row"): string {
  return axis === "column"
    ? `normColumn(${array})`
    : `columns == 1 ? normTensor(${array}) : normRow(${array})`;
}
