import { adam } from "@gradstep/core";

/** What every contender computes with: TF.js's ε, in the textbook's place, m̂ / (√v̂ + ε). */
export const hyperparameters = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
} as const;

/** The same as gradstep's rule. */
export const rule: ReturnType<typeof adam> = adam({ ...hyperparameters, epsilonMode: "paper" });
