import { defineRule, nonNegative, type RuleFactory } from "@gradstep/core";

/**
 * A rule whose values are small integers, so that every backend must compute them exactly, and in which each number
 * that an optimizer hands to a kernel shows: the gradient, the group's hyperparameters, its step number, its persistent
 * scalar, and the first values of slots.
 */
export const countingRule: RuleFactory<"learningRate" | "alpha", Record<never, never>> = defineRule(
  {
    name: "counting",
    hyperparameters: { learningRate: nonNegative(1), alpha: nonNegative(1) },
    slots: { sum: 0, count: "alpha" },
    persistentScalars: { total: 100 },
    perStep: `
    total = total + alpha
    offset = total * 2 + t
  `,
    perElement: `
    sum = sum + g
    count = count + 1
    p = p - g * learningRate + sum * alpha + offset
  `,
  },
);

/** First value of the persistent scalar. */
export const firstTotal = 100;

/** Values of a parameter and its slots. */
export interface CountingValues {
  p: number;
  sum: number;
  count: number;
}

/** Scalars of one step of a group. */
export interface CountingScalars {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly alpha: number;
  /** The persistent scalar after this step. */
  readonly total: number;
  /** The group's step number. */
  readonly t: number;
}

/** One element after a step; the rule once more, in plain JavaScript. */
export function countingStep(
  { p, sum, count }: CountingValues,
  g: number,
  { learningRate, weightDecay, alpha, total, t }: CountingScalars,
): CountingValues {
  const decayed = p * (1 - learningRate * weightDecay);
  const next = sum + g;
  return {
    p: decayed - g * learningRate + next * alpha + total * 2 + t,
    sum: next,
    count: count + 1,
  };
}
