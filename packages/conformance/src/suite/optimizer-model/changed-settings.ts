import type { Random } from "../random/random.js";
import type { CountingOptimizer } from "./model-comparison.js";
import type { PlainOptimizer } from "./plain-optimizer.js";
import { randomHyperparameter } from "./random-arguments.js";

/** Sets a hyperparameter, `every` or `frozen` of a random group in both optimizers; returns what was set, for messages. */
export function changeSetting(
  optimizer: CountingOptimizer,
  plain: PlainOptimizer,
  random: Random,
): string {
  const index = random.integer(0, 2);
  const own = plain.groups[index];
  const group = index === 0 ? optimizer : optimizer.groups[index - 1];
  if (index > 0 && random.chance(0.25)) {
    own.frozen = !own.frozen;
    Object.assign(group, { frozen: own.frozen });
    return `frozen of group ${index - 1} to ${own.frozen}`;
  }
  const every = index > 0 && random.chance(0.3);
  const name = every ? "every" : random.pick(["learningRate", "alpha", "weightDecay"] as const);
  const value = name === "every" ? random.integer(1, 3) : randomHyperparameter(random, name);
  own.overrides[name] = value;
  Object.assign(group, { [name]: value });
  return `${name} of group ${index - 1} to ${value}`;
}
