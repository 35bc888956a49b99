import { builtInStage } from "../rule/built-in-stage.js";

/**
 * Cautious updates: Liang et al. 2024, Algorithm 1, in the form of the authors' code: only elements whose update has the
 * sign of their gradient are updated, and these are scaled by the share of such elements in the tensor, which counts as
 * at least 1/1000.
 */
export const cautiousUpdate = /* @__PURE__ */ builtInStage({
  name: "cautious-update",
  // Signs, because a product of small numbers is 0 in f32.
  perElement: `
    agrees = sign(u) * sign(g) > 0 ? 1 : 0
    u = u * (agrees / max(meanTensor(agrees), 0.001))
  `,
});
