import type { Mutant } from "../mutant.js";
import { ruleMutant } from "./mutate-rule.js";

/** What people get wrong in the adaptive rules that came after Adam, and in FTRL. */
export const adaptiveRuleMutants: readonly Mutant[] = [
  ruleMutant("updates averaged before the step that uses the average", "adadelta", {
    element: [["x = sqrt(d + epsilon)", "x = sqrt(d * rho + epsilon)"]],
  }),
  ruleMutant("average of updates without their root", "adadelta", {
    element: [["sqrt(d + epsilon) * g", "(d + epsilon) * g"]],
  }),
  ruleMutant("epsilon outside of the roots", "adadelta", {
    element: [
      ["sqrt(d + epsilon)", "(sqrt(d) + epsilon)"],
      ["sqrt(v + epsilon)", "(sqrt(v) + epsilon)"],
    ],
  }),
  ruleMutant("average of updates with the rate", "adadelta", {
    element: [
      ["g / sqrt(v + epsilon)", "g * learningRate / sqrt(v + epsilon)"],
      ["u = x * learningRate", "u = x"],
    ],
  }),
  ruleMutant("ρ and 1 − ρ swapped", "adadelta", { step: [["c = 1 - rho", "c = rho"]] }),
  ruleMutant("accumulator starts at 0", "ftrl", { slots: { a: 0 } }),
  ruleMutant("z without the correction by the parameter", "ftrl", {
    element: [["* inverseRate * p)", "* inverseRate * p * 0)"]],
  }),
  ruleMutant("correction by the root of the gradient's square alone", "ftrl", {
    element: [["(root - rootBefore)", "(abs(g) + 0 * rootBefore)"]],
  }),
  ruleMutant("L1 that does not clip", "ftrl", {
    element: [["max(min(z, l1RegularizationStrength), -l1RegularizationStrength)", "0 * z"]],
  }),
  ruleMutant("L1 of one sign", "ftrl", {
    element: [
      [
        "max(min(z, l1RegularizationStrength), -l1RegularizationStrength)",
        "min(z, l1RegularizationStrength)",
      ],
    ],
  }),
  ruleMutant("L2 without the factor 2", "ftrl", {
    step: [["2 * l2RegularizationStrength", "l2RegularizationStrength"]],
  }),
  ruleMutant("beta without the rate", "ftrl", { step: [["beta / learningRate", "beta"]] }),
  ruleMutant("shrinkage in the accumulator, too", "ftrl", {
    element: [["a = a + g * g", "a = a + (g + p * shrinkage) * (g + p * shrinkage)"]],
  }),
  ruleMutant("never rectified", "radam", {
    step: [["max(threshold, 4) ? 0 : 1", "max(threshold, 4) ? 0 : 0"]],
  }),
  ruleMutant("rectified from the first step on", "radam", {
    step: [["length < max(threshold, 4) ? 0 : 1", "threshold < 0 ? 0 : 1"]],
  }),
  ruleMutant("no rectification", "radam", { step: [["root * rectification", "root"]] }),
  ruleMutant("length without the correction of the step", "radam", {
    step: [["- 2 * t * beta2 ** t / correction2", "- 2 * t * beta2 ** t"]],
  }),
  ruleMutant("4 and 2 swapped", "radam", {
    step: [["(longest - 4) * (longest - 2)", "(longest - 2) * (longest - 2)"]],
  }),
  ruleMutant("plain step without correction of the mean", "radam", {
    step: [["learningRate / (1 - beta1 ** t)", "learningRate"]],
  }),
  ruleMutant("deviation from the old mean", "adabelief", {
    element: [
      ["difference = g - m", ""],
      ["m = m + (g - m) * c1", "difference = g - m; m = m + (g - m) * c1"],
    ],
  }),
  ruleMutant("Adam's average", "adabelief", {
    element: [["difference = g - m", "difference = g"]],
  }),
  ruleMutant("epsilon under the root at the step, not kept", "adabelief", {
    element: [
      [" * c2 + epsilonRoot", " * c2"],
      ["sqrt(v)", "sqrt(v + epsilonRoot)"],
    ],
  }),
  ruleMutant("no correction of the average of squares", "adabelief", {
    step: [["root = sqrt(1 - beta2 ** t)", "root = 1"]],
  }),
  ruleMutant("Adam's average", "yogi", {
    element: [["v = v - sign(v - square) * square * c2", "v = v + (square - v) * c2"]],
  }),
  ruleMutant("sign turned around", "yogi", { element: [["sign(v - square)", "sign(square - v)"]] }),
  ruleMutant("averages start at 0", "yogi", {
    slots: { m: 0, v: 0 },
    step: [["rate =", "rate = initialAccumulatorValue * 0 +"]],
  }),
  ruleMutant("mean starts at 0", "yogi", { slots: { m: 0 } }),
  ruleMutant("difference in the first step", "adan", {
    element: [["isFirst == 1 ? 0 : g - gBefore", "g - gBefore"]],
  }),
  ruleMutant("difference to the gradient itself", "adan", {
    element: [
      [
        "difference = isFirst == 1 ? 0 : g - gBefore\n    gBefore = g",
        "gBefore = g; difference = isFirst == 1 ? 0 : g - gBefore",
      ],
    ],
  }),
  ruleMutant("difference turned around", "adan", { element: [["g - gBefore", "gBefore - g"]] }),
  ruleMutant("square of the gradient alone", "adan", {
    element: [["extrapolated = g + difference * c2", "extrapolated = g"]],
  }),
  ruleMutant("average of differences without its factor", "adan", {
    step: [["root * (1 - beta2) / (1 - beta2 ** t)", "root / (1 - beta2 ** t)"]],
  }),
  ruleMutant("β₂ and β₃ swapped", "adan", {
    step: [
      ["c2 = 1 - beta2", "c2 = 1 - beta3"],
      ["c3 = 1 - beta3", "c3 = 1 - beta2"],
    ],
  }),
  ruleMutant("divided by the average with the gradient in it", "adopt", {
    element: [
      [
        "normalized = g / max(sqrt(v), epsilon)",
        "normalized = g / max(sqrt(v * beta2 + g * g * c2), epsilon)",
      ],
    ],
  }),
  ruleMutant("a first step that moves", "adopt", {
    step: [
      ["c1 = t == 1 ? 0 : 1 - beta1", "c1 = 1 - beta1"],
      ["(t - 1) ** 0.25", "t ** 0.25"],
    ],
  }),
  ruleMutant("average that starts at 0 and grows slowly", "adopt", {
    step: [["c2 = t == 1 ? 1 : 1 - beta2", "c2 = 1 - beta2"]],
  }),
  ruleMutant("limit of the step after", "adopt", { step: [["(t - 1) ** 0.25", "t ** 0.25"]] }),
  ruleMutant("limit of positive values alone", "adopt", {
    element: [["max(min(normalized, limit), -limit)", "min(normalized, limit)"]],
  }),
  ruleMutant("epsilon added", "adopt", {
    element: [["max(sqrt(v), epsilon)", "(sqrt(v) + epsilon)"]],
  }),
  ruleMutant("slow mean corrected", "ademamix", {
    step: [["root * alpha", "root * alpha / (1 - beta3 ** t)"]],
  }),
  ruleMutant("fast mean not corrected", "ademamix", {
    step: [["rate1 = learningRate * root / (1 - beta1 ** t)", "rate1 = learningRate * root"]],
  }),
  ruleMutant("means swapped", "ademamix", {
    element: [["m1 * rate1 + m2 * rate2", "m2 * rate1 + m1 * rate2"]],
  }),
  ruleMutant("slow mean as fast as the other", "ademamix", {
    step: [["c3 = 1 - beta3", "c3 = 1 - beta1 + beta3 * 0"]],
  }),
  ruleMutant("no weight of the slow mean", "ademamix", { step: [["root * alpha", "root"]] }),
];
