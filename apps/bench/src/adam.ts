import { adam } from "@gradstep/core";

/** The hyperparameters of all contenders. ε has TF.js's value and the paper's place, m̂ / (√v̂ + ε). */
export const hyperparameters = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
} as const;

/** The same for gradstep. */
export const rule: ReturnType<typeof adam> = adam({ ...hyperparameters, epsilonMode: "paper" });
