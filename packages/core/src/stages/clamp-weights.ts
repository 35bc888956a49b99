import { builtInStage } from "../rule/built-in-stage.js";

/** Clamps each value to the range from `minWeight` to `maxWeight` after each step. PyTorch's `clamp_`. */
export const clampWeights = /* @__PURE__ */ builtInStage({
  name: "clamp-weights",
  hyperparameters: { minWeight: { default: 0 }, maxWeight: { default: 1 } },
  needsNames: true,
  perElement: "p = min(max(p, minWeight), maxWeight)",
});
