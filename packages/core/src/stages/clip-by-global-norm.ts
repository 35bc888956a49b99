import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { clipFactor } from "../rule-fragments/clip-factor.js";

/**
 * Clipping by the global norm: Pascanu, Mikolov & Bengio 2013, Algorithm 1, over the gradients of all parameters that
 * the step updates. Keras's `global_clipnorm`, PyTorch's `clip_grad_norm_`, Optax's `clip_by_global_norm`.
 *
 * The metric `globalNorm` is the norm before it was clipped. If it is NaN, all gradients become NaN, as in these
 * libraries; if the squares overflow f32, all become 0, as in PyTorch and Optax.
 */
export const clipByGlobalNorm = /* @__PURE__ */ builtInStage({
  name: "clip-by-global-norm",
  hyperparameters: { globalClipNorm: nonNegative(1) },
  metrics: { globalNorm: "all" },
  perElement: `
    globalNorm = normAll(g)
    g = g * ${clipFactor("globalNorm", "globalClipNorm")}
  `,
});
