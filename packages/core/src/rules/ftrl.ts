import { nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";

/**
 * FTRL-Proximal: McMahan et al. 2013, Algorithm 1, with Keras's additions: `beta` and the L2 shrinkage, a decay that acts
 * on the gradient alone.
 *
 * a is the sum of g², z the sum of corrected gradients. The parameter is computed from both, and is exactly 0 where
 * |z| ≤ `l1RegularizationStrength`. The rate per element is learningRate / (√a + beta): Keras's `learning_rate_power` of
 * −0.5. `learningRate` must be above 0.
 */
export const ftrl = /* @__PURE__ */ builtInRule({
  name: "ftrl",
  hyperparameters: {
    learningRate: nonNegative(1e-3),
    initialAccumulatorValue: nonNegative(0.1),
    l1RegularizationStrength: nonNegative(0),
    l2RegularizationStrength: nonNegative(0),
    l2ShrinkageRegularizationStrength: nonNegative(0),
    beta: nonNegative(0),
  },
  slots: { a: "initialAccumulatorValue", z: 0 },
  perStep: `
    inverseRate = 1 / learningRate
    shrinkage = 2 * l2ShrinkageRegularizationStrength
    ridge = 2 * l2RegularizationStrength + beta / learningRate
  `,
  // The differences of the roots add up to √a as it is rounded, which the last line divides by.
  perElement: `
    rootBefore = sqrt(a)
    a = a + g * g
    root = sqrt(a)
    z = z + (g + p * shrinkage - (root - rootBefore) * inverseRate * p)
    clipped = max(min(z, l1RegularizationStrength), -l1RegularizationStrength)
    p = (clipped - z) / (root * inverseRate + ridge)
  `,
});
