import { builtInStage } from "../rule/built-in-stage.js";
import { nonNegative } from "../rule/hyperparameter.js";
import { clipFactor } from "../rule-fragments/clip-factor.js";

/**
 * Update clipping of StableAdamW: Wortsman et al. 2023: the update of a tensor is divided by the root mean square of
 * g / √v̂, where that is above `stableRms`: by how much Adam's second moment underestimates the gradient.
 *
 * For rules with Adam's `v`, `beta2` and `epsilon`. After `decoupledWeightDecay`, it reduces the decay, too, as in the
 * paper.
 */
export const stableUpdate = /* @__PURE__ */ builtInStage({
  name: "stable-update",
  hyperparameters: { stableRms: nonNegative(1) },
  reads: { slots: ["v"], hyperparameters: ["beta2", "epsilon"] },
  // The least v̂ is not 0, not even in f32.
  perStep: `
    correction = 1 / (1 - beta2 ** t)
    least = max(epsilon * epsilon, 1e-30)
  `,
  perElement: `
    rms = sqrt(meanTensor(g * g / max(v * correction, least)))
    u = u * ${clipFactor("rms", "stableRms")}
  `,
});
