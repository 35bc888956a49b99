import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";

/** Clips each value of a gradient to ±`clipValue`. Keras's `clipvalue`, PyTorch's `clip_grad_value_`, Optax's `clip`. */
export const clipByValue = /* @__PURE__ */ builtInStage({
  name: "clip-by-value",
  hyperparameters: { clipValue: nonNegative(1) },
  perElement: "g = min(max(g, -clipValue), clipValue)",
});
