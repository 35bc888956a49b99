import { ruleMutant, type Edits } from "./mutate-rule.js";
import type { Mutant } from "../mutant.js";

const adam = (name: string, edits: Edits): Mutant => ruleMutant(name, "adam", edits);
const adamw = (name: string, edits: Edits): Mutant => ruleMutant(name, "adamw", edits);

/** What people get wrong in Adam and its relatives. */
export const adamMutants: readonly Mutant[] = [
  adam("epsilon inside the root", {
    element: [["(sqrt(v) + epsilonHat)", "sqrt(v + epsilonHat)"]],
  }),
  adam("no epsilon", { element: [["+ epsilonHat", "+ epsilonHat * 0"]] }),
  adam("Keras's epsilon for the paper's", {
    step: [["epsilonHat = epsilon * root", "epsilonHat = epsilon"]],
  }),
  adam("the paper's epsilon for Keras's", {
    step: [[/epsilonHat = epsilon$/m, "epsilonHat = epsilon * root"]],
  }),
  adam("no correction of the first moment", { step: [["root / (1 - beta1 ** t)", "root"]] }),
  adam("no correction of the second moment", {
    step: [["root = sqrt(correction2)", "root = sqrt(1 + correction2 * 0)"]],
  }),
  adam("correction of the second moment without its root", {
    step: [["root = sqrt(correction2)", "root = correction2"]],
  }),
  adam("correction of the second moment upside down", {
    step: [["learningRate * root", "learningRate / root"]],
  }),
  adam("beta1 and beta2 swapped in the averages", {
    step: [
      ["c1 = 1 - beta1", "c1 = 1 - beta2"],
      ["c2 = 1 - beta2", "c2 = 1 - beta1"],
    ],
  }),
  adam("t one too large", { step: [["** t", "** (t + 1)"]] }),
  adam("t one too small", { step: [["** t", "** (t - 1)"]] }),
  adam("1 − β₂ from an f32 β₂", { step: [["c2 = 1 - beta2", "c2 = 1 - f32(beta2)"]] }),
  adam("1 − β₁ from an f32 β₁", { step: [["c1 = 1 - beta1", "c1 = 1 - f32(beta1)"]] }),
  adam("power of β₂ in f32", {
    step: [["1 - beta2 ** t", "f32(1 - f32(f32(beta2) ** t))"]],
  }),
  adam("power of β₁ in f32", {
    step: [["/ (1 - beta1 ** t)", "/ f32(1 - f32(f32(beta1) ** t))"]],
  }),
  adam("second moment of g, not of g²", { element: [["g * g - v", "abs(g) - v"]] }),
  adam("second moment of m", { element: [["g * g - v", "m * m - v"]] }),
  adam("no root of v", { element: [["sqrt(v)", "v"]] }),
  adam("first moment does not decay", { element: [["m + (g - m) * c1", "m + g * c1"]] }),
  adam("second moment decays with β₁", {
    element: [["(g * g - v) * c2", "(g * g - v) * c1 + c2 * 0"]],
  }),
  adam("the old first moment", {
    element: [
      ["m = m + (g - m) * c1", "old = m; m = m + (g - m) * c1"],
      ["u = m * rate", "u = old * rate"],
    ],
  }),
  adam("the old second moment", {
    element: [
      ["v = v + (g * g - v) * c2", "old = v; v = v + (g * g - v) * c2"],
      ["sqrt(v)", "sqrt(old)"],
    ],
  }),
  adam("ascends", { element: [["p = p - ", "p = p + "]] }),
  adam("rate off by 0.1 %", { step: [["rate = learningRate *", "rate = learningRate * 1.001 *"]] }),
  adam("rate off by 1e-6", {
    step: [["rate = learningRate *", "rate = learningRate * 1.000001 *"]],
  }),
  adam("AMSGrad of g²", { element: [["max(vMax, v * scaleV)", "max(vMax, g * g * scaleV)"]] }),
  adam("AMSGrad forgets its maximum", {
    element: [["max(vMax, v * scaleV)", "max(v * 0, v * scaleV)"]],
  }),
  adam("AMSGrad that divides by v", { element: [["sqrt(vMax)", "sqrt(v)"]] }),
  adam("AMSGrad of the corrected v without correction", {
    step: [["scaleV = 1 / correction2", "scaleV = 1 + correction2 * 0"]],
  }),
  adam("AMSGrad of the raw v with the other's correction", {
    step: [[/scaleV = 1$/m, "scaleV = 1 / correction2"]],
  }),
  adam("Nesterov's two parts swapped", {
    element: [["(m * rateM + g * rateG)", "(m * rateG + g * rateM)"]],
  }),
  adam("Nesterov's correction of this step", { step: [["** (t + 1)", "** t"]] }),
  adam("epsilonRoot without the correction", {
    step: [["epsilonRoot * root * root", "epsilonRoot"]],
  }),
  adam("small values are cleared at all steps but every 64th", {
    step: [[/floor\(t \/ 64\) \* 64 == t \? ([^:]+) : 0/g, "floor(t / 64) * 64 == t ? 0 : $1"]],
  }),
  adam("small values are cleared at every 32nd step", {
    step: [[/floor\(t \/ 64\) \* 64/g, "floor(t / 32) * 32"]],
  }),
  adam("the threshold of the mean of squares is not squared", {
    step: [["(epsilon * 2 ** -28) ** 2", "(epsilon * 2 ** -28)"]],
  }),
  adam("all negative means are cleared", { element: [["abs(m) <", "m <"]] }),
  adam("means at the threshold are cleared", { element: [["abs(m) <", "abs(m) <="]] }),
  adamw("decay after the update", {
    element: [
      ["p = p * decay", ""],
      [/$/, "\np = p * decay"],
    ],
  }),
  adamw("decay without the rate", {
    step: [["1 - learningRate * weightDecay", "1 - weightDecay"]],
  }),
  adamw("decay that grows the weights", {
    step: [["1 - learningRate * weightDecay", "1 + learningRate * weightDecay"]],
  }),
  adamw("L2 in place of decoupled decay", {
    element: [[/^p = p \* decay/, "g = g + p * (1 - decay)"]],
  }),
  adamw("no decay", { element: [[/^p = p \* decay/, "p = p * (1 + decay * 0)"]] }),
  adamw("L2 after the decay of p", {
    element: [
      [
        "g = g * direction + p * l2\n      p = p * decay",
        "p = p * decay; g = g * direction + p * l2 * 0.999",
      ],
    ],
  }),
  adamw("L2 turned around by maximize", {
    element: [["g * direction + p * l2", "(g + p * l2) * direction"]],
  }),
];
