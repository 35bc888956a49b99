import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";

/**
 * Decoupled weight decay: Loshchilov & Hutter 2019, as part of the update, so that stages after it see it, such as
 * `trustRatio`. Optax's `add_decayed_weights`. Without such stages, the `weightDecay` of the rule costs less.
 */
export const decoupledWeightDecay = /* @__PURE__ */ builtInStage({
  name: "decoupled-weight-decay",
  hyperparameters: { decoupledWeightDecay: nonNegative(4e-3) },
  perStep: "rate = decoupledWeightDecay * learningRate",
  perElement: "u = u + p * rate",
});
