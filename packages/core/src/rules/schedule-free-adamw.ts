import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { averageOfSquares, squareFactors } from "../rule-fragments/average-of-squares.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  negligibleSquare,
  flushStatement,
  flushThreshold,
} from "../rule-fragments/flush-to-zero.js";
import {
  averageWeight,
  scheduleFreeEvaluation,
  scheduleFreeHyperparameters,
  scheduleFreeScalars,
  scheduleFreeUpdate,
} from "../rule-fragments/schedule-free.js";

/**
 * Schedule-free AdamW: Defazio et al. 2024, Algorithm 1, with Keras's defaults: the averaged sequence takes the place of
 * Adam's momentum.
 *
 * Steps move the slot z. The parameters are y, where gradients are taken; `optimizer.swap` exchanges them with x, the
 * average of all z, which are the weights to evaluate with.
 *
 * `weightDecayMode: "decoupled"` decays the parameter, as Keras does; `"update"` adds weightDecay·p to the update of z, as
 * the authors and Optax do. `averageForm` is as in `adam`.
 */
export const scheduleFreeAdamw = /* @__PURE__ */ builtInRule({
  name: "schedule-free-adamw",
  hyperparameters: {
    learningRate: nonNegative(2.5e-3),
    beta1: decayRate(0.9),
    beta2: decayRate(0.999),
    epsilon: nonNegative(1e-8),
    ...scheduleFreeHyperparameters(0),
  },
  options: {
    weightDecayMode: ["decoupled", "l2", "update"],
    averageForm: ["difference", "sum-of-squares"],
  },
  slots: { v: 0, z: "p" },
  persistentScalars: scheduleFreeScalars,
  perStep: ({ averageForm }) => `
    c2 = 1 - beta2
    ${squareFactors(averageForm, "c2")}
    ${flushThreshold("v", negligibleSquare)}
    root = sqrt(1 - beta2 ** t)
    epsilonHat = epsilon * root
    ${averageWeight}
  `,
  perElement: ({ averageForm, weightDecayMode }) => `
    ${flushStatement("v")}
    ${averageOfSquares(averageForm, "beta2", "c2")}
    ${scheduleFreeUpdate(`(g * root / (sqrt(v) + epsilonHat) ${weightDecayMode === "update" ? "+ p * weightDecay" : ""})`)}
  `,
  evaluation: scheduleFreeEvaluation,
});
