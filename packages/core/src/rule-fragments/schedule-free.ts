import { nonNegative, type Hyperparameter } from "../rule/hyperparameter.js";

/*
 * Schedule-free optimizers (Defazio et al. 2024) move z, and keep x, a weighted average of all z. Gradients are taken at
 * y = (1 − β₁)·z + β₁·x. The parameter is y, the slot is z, and x, the weights to evaluate, is (y − (1 − β₁)·z) / β₁.
 */

/**
 * `warmupSteps`: the rate grows linearly in these steps. `weightLearningRatePower`: z of step t enters the average with
 * the weight (highest rate so far)^power; with 0 all have the same.
 */
export function scheduleFreeHyperparameters(power: number): {
  readonly warmupSteps: Hyperparameter;
  readonly weightLearningRatePower: Hyperparameter;
} {
  return { warmupSteps: nonNegative(0), weightLearningRatePower: nonNegative(power) };
}

/** The sum of all weights, and the highest rate so far. */
export const scheduleFreeScalars = { weightSum: 0, highestRate: 0 } as const;

/** The `perStep` statements for the rate, and for the weight of the new z in the average. */
export const averageWeight = `
  rate = learningRate * (t < warmupSteps ? t / warmupSteps : 1)
  highestRate = max(highestRate, rate)
  weight = highestRate ** weightLearningRatePower
  weightSum = weightSum + weight
  share = weightSum == 0 ? 0 : weight / weightSum
  intake = 1 - beta1 * (1 - share)
`;

/** The `perElement` statements that move z, and y with it. @param direction what z moves against */
export function scheduleFreeUpdate(direction: string): string {
  return `
    x = ${direction} * rate
    u = (p - z) * share + x * intake
    z = z - x
  `;
}

/** The statement that computes x. Where β₁ is 0, y and z are the same and say nothing of x. */
export const scheduleFreeEvaluation = "p = p + (p - z) * (1 / (beta1 == 0 ? 1 : beta1) - 1)";
