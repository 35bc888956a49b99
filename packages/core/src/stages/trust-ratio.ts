import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";

/**
 * Layer-wise adaptation: You et al. 2020, Algorithm 2 (LAMB), and You, Gitman & Ginsburg 2017 (LARS): scales the update
 * of each tensor, before the learning rate, to `trustRatioCoefficient` times the norm of the tensor. A tensor or an
 * update of zeros is not scaled. `trustRatioEpsilon` is added to the norm of the update. Optax's `scale_by_trust_ratio`.
 */
export const trustRatio = /* @__PURE__ */ builtInStage({
  name: "trust-ratio",
  hyperparameters: { trustRatioCoefficient: nonNegative(1), trustRatioEpsilon: nonNegative(0) },
  perStep: `
    scale = trustRatioCoefficient * learningRate
    shift = trustRatioEpsilon * learningRate
  `,
  perElement: `
    normP = normTensor(p)
    normU = normTensor(u)
    least = min(normP, normU)
    u = u * ((least == 0 ? 1 : normP * scale) / (least == 0 ? 1 : normU + shift))
  `,
});
