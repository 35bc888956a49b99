import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  averageWeight,
  scheduleFreeEvaluation,
  scheduleFreeHyperparameters,
  scheduleFreeScalars,
  scheduleFreeUpdate,
} from "../rule-fragments/schedule-free.js";

/**
 * Schedule-free gradient descent: Defazio et al. 2024, in the form of the authors' code, with its defaults.
 *
 * Steps move the slot z. The parameters are y, where gradients are taken; `optimizer.swap` exchanges them with x, the
 * average of all z, which are the weights to evaluate with.
 */
export const scheduleFreeSgd = /* @__PURE__ */ builtInRule({
  name: "schedule-free-sgd",
  hyperparameters: {
    learningRate: nonNegative(1),
    beta1: decayRate(0.9),
    ...scheduleFreeHyperparameters(2),
  },
  options: { weightDecayMode: ["l2", "decoupled"] },
  slots: { z: "p" },
  persistentScalars: scheduleFreeScalars,
  perStep: averageWeight,
  perElement: `
    ${scheduleFreeUpdate("g")}
  `,
  evaluation: scheduleFreeEvaluation,
});
