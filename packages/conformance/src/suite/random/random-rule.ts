import { defineRule, nonNegative, type Rule } from "@gradstep/core";
import type { Random } from "./random.js";

const scalars = ["learningRate", "alpha", "decayed"];
const literals = ["0", "1", "2", "0.5", "0.1", "3e-8", "1e10"];

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
    lines.push(`${target} = ${expression(random, known, random.integer(1, 4))}`);
    if (!known.includes(target)) {
      known.push(target);
      temporaries.push(target);
    }
  }
  const all = ["a", "b", ...temporaries].join(" + ");
  const step = expression(random, known, random.integer(1, 4));
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

function expression(random: Random, names: readonly string[], depth: number): string {
  if (depth === 0) return random.chance(0.85) ? random.pick(names) : random.pick(literals);
  const next = (): string => expression(random, names, random.integer(0, depth - 1));
  const [a, b] = [next(), next()];
  switch (random.integer(0, 13)) {
    case 0:
    case 1:
      return `(${a} + ${b})`;
    case 2:
    case 3:
      return `(${a} - ${b})`;
    case 4:
    case 5:
      return `(${a}) * (${b})`;
    case 6:
      return random.chance(0.2) ? `(${a}) / (${b})` : `(${a}) / (abs(${b}) + 0.25)`;
    case 7:
      return random.chance(0.2) ? `sqrt(${a})` : `sqrt(abs(${a}))`;
    case 8:
      return `sign(${a})`;
    case 9:
      return random.chance(0.5) ? `-(${a})` : `abs(${a})`;
    case 10:
      return `flush(${a})`;
    case 11:
      return `${random.pick(["min", "max"])}(${a}, ${b})`;
    default: {
      const compare = random.pick(["<", "<=", ">", ">=", "==", "!="]);
      return `(${a} ${compare} ${b} ? ${next()} : ${next()})`;
    }
  }
}
