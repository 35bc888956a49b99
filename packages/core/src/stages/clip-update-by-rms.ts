import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { clipFactor } from "../rule-fragments/clip-factor.js";

/**
 * Update clipping: Shazeer & Stern 2018, Section 6: clips the root mean square of the update of each tensor, before the
 * learning rate, to `clipUpdateRms`. Optax's `clip_by_block_rms`.
 * `stableUpdate` is the form of StableAdamW.
 */
export const clipUpdateByRms = /* @__PURE__ */ builtInStage({
  name: "clip-update-by-rms",
  hyperparameters: { clipUpdateRms: nonNegative(1) },
  perStep: "limit = clipUpdateRms * learningRate",
  perElement: `
    rms = sqrt(meanTensor(u * u))
    u = u * ${clipFactor("rms", "limit")}
  `,
});
