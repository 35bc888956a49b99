import type { Mutant } from "../mutant.js";
import { ruleMutant } from "./mutate-rule.js";

/** What people get wrong in schedule-free rules. */
export const scheduleFreeMutants: readonly Mutant[] = [
  ruleMutant("first step without weight in the average", "schedule-free-sgd", {
    step: [["weightSum == 0 ? 0 : weight / weightSum", "t == 1 ? 0 : weight / weightSum"]],
  }),
  ruleMutant("average of all steps with equal weights", "schedule-free-sgd", {
    step: [["weightSum == 0 ? 0 : weight / weightSum", "1 / t"]],
  }),
  ruleMutant("warm-up that starts at 0", "schedule-free-sgd", {
    step: [["t / warmupSteps", "(t - 1) / warmupSteps"]],
  }),
  ruleMutant("weight of the current rate", "schedule-free-sgd", {
    step: [["highestRate = max(highestRate, rate)", "highestRate = rate"]],
  }),
  ruleMutant("y moves as far as z", "schedule-free-sgd", {
    step: [["1 - beta1 * (1 - share)", "1"]],
  }),
  ruleMutant("y is not drawn to z", "schedule-free-sgd", {
    element: [["u = (p - z) * share + x * intake", "u = x * intake"]],
  }),
  ruleMutant("z moves first", "schedule-free-sgd", {
    element: [
      ["u = (p - z) * share + x * intake", ""],
      ["z = z - x", "z = z - x; u = (p - z) * share + x * intake"],
    ],
  }),
  ruleMutant("z starts at 0", "schedule-free-sgd", { slots: { z: 0 } }),
  ruleMutant("z moves by the gradient alone", "schedule-free-adamw", {
    element: [["z = z - x", "z = z - g * rate"]],
  }),
  ruleMutant("second moments of the direction", "schedule-free-adamw", {
    step: [["root = sqrt(1 - beta2 ** t)", "root = 1"]],
  }),
];
