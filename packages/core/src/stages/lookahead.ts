import { builtInStage } from "../rule/built-in-stage.js";
import { fraction } from "../rule/hyperparameter.js";

/**
 * Lookahead: Zhang et al. 2019, Algorithm 1: every `lookaheadSteps` steps, the slow weights, kept in the slot `slow`, move
 * by `lookaheadStepSize` of the way to the parameters, which then continue from there. The state of the rule is kept.
 *
 * `optimizer.swap()` exchanges the parameters with the slow weights, and back.
 */
export const lookahead = /* @__PURE__ */ builtInStage({
  name: "lookahead",
  hyperparameters: { lookaheadSteps: { default: 5, min: 1 }, lookaheadStepSize: fraction(0.5) },
  slots: { slow: "p" },
  perStep: `
    isSynchronized = floor(t / lookaheadSteps) * lookaheadSteps == t ? 1 : 0
    part = isSynchronized * lookaheadStepSize
  `,
  perElement: `
    slow = slow + (p - slow) * part
    p = isSynchronized == 1 ? slow : p
  `,
  evaluation: "p = slow",
});
