import { decayRate, nonNegative } from "../rule/hyperparameter.js";
import { builtInRule } from "../rule/built-in-rule.js";
import {
  averageWeight,
  scheduleFreeHyperparameters,
  scheduleFreeScalars,
  scheduleFreeUpdate,
} from "../rule-fragments/schedule-free.js";

/**
 * Schedule-free gradient descent: Defazio et al. 2024, Algorithm 1 of the authors' implementation, with its defaults.
 * What the parameters, `z` and the weights to evaluate are is described in `schedule-free.ts`.
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
});
