import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";

/**
 * Cautious weight decay: Chen et al. 2025, Algorithm 1: decoupled decay of the elements whose update does not have the
 * sign opposite to that of the parameter. It replaces the `weightDecay` of the rule, which is best left at 0.
 */
export const cautiousWeightDecay = /* @__PURE__ */ builtInStage({
  name: "cautious-weight-decay",
  hyperparameters: { cautiousWeightDecay: nonNegative(4e-3) },
  perStep: "rate = cautiousWeightDecay * learningRate",
  perElement: "u = sign(u) * sign(p) >= 0 ? u + p * rate : u",
});
