import { builtInStage } from "../rule/built-in-stage.js";

/** Replaces negative values by 0 after each step. Keras's `NonNeg`, Optax's `keep_params_nonnegative`. */
export const nonNegativeWeights = /* @__PURE__ */ builtInStage({
  name: "non-negative-weights",
  perElement: "p = max(p, 0)",
});
