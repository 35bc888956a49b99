import type { Random } from "./random.js";

const literals = ["0", "1", "2", "0.5", "0.1", "3e-8", "1e10"];

/** A random expression over these names. Divisors and radicands are mostly kept away from 0. */
export function randomExpression(random: Random, names: readonly string[], depth: number): string {
  if (depth === 0) return random.chance(0.85) ? random.pick(names) : random.pick(literals);
  const next = (): string => randomExpression(random, names, random.integer(0, depth - 1));
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
      return random.chance(0.8) ? `flush(${a})` : `isFinite(${a})`;
    case 11:
      return `${random.pick(["min", "max"])}(${a}, ${b})`;
    default: {
      const compare = random.pick(["<", "<=", ">", ">=", "==", "!="]);
      return `(${a} ${compare} ${b} ? ${next()} : ${next()})`;
    }
  }
}
