import { defineRule, nonNegative, type Rule } from "@gradstep/core";
import { randomExpression } from "./random-expression.js";
import type { Random } from "./random.js";

const scalars = ["learningRate", "alpha", "decayed"];

/**
 * A rule with random statements over the whole language, two slots, a scalar that is computed per step and a persistent
 * one. Divisors and radicands are mostly kept away from 0, so that most values have a bound.
 */
export function randomRule(name: string, random: Random): Rule {
  const lines: string[] = [];
  const known = ["p", "g", "a", "b", ...scalars];
  const temporaries: string[] = [];
  for (let i = random.integer(1, 4); i > 0; i -= 1) {
    const target = random.pick(["a", "b", "h", "k"]);
    lines.push(`${target} = ${randomExpression(random, known, random.integer(1, 4))}`);
    if (!known.includes(target)) {
      known.push(target);
      temporaries.push(target);
    }
  }
  const all = ["a", "b", ...temporaries].join(" + ");
  const step = randomExpression(random, known, random.integer(1, 4));
  lines.push(`p = p - (${step}) * learningRate - g * alpha + (${all}) * decayed`);
  return defineRule({
    name,
    hyperparameters: { learningRate: nonNegative(0.01), alpha: nonNegative(0.1) },
    slots: { a: 0, b: 0.5 },
    persistentScalars: { sum: 0 },
    perStep: `
      sum = sum + alpha
      decayed = learningRate * 0.9 ** t + sum * 0.001
    `,
    perElement: lines.join("\n"),
  }).rule;
}
