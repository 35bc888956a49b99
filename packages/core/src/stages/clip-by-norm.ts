import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { clipFactor } from "../rule-fragments/clip-factor.js";

/** Clips the norm of the gradient of each tensor by itself to `clipNorm`. Keras's `clipnorm`. */
export const clipByNorm = /* @__PURE__ */ builtInStage({
  name: "clip-by-norm",
  hyperparameters: { clipNorm: nonNegative(1) },
  perElement: `
    norm = normTensor(g)
    g = g * ${clipFactor("norm", "clipNorm")}
  `,
});
