import type { Hyperparameter, Rule } from "@gradstep/core";
import type { Random } from "./random.js";

/** Settings of a rule: hyperparameters and options. */
export type RuleSettings = Readonly<Record<string, number | boolean | string>>;

/** In how many ways a rule's options and switches can be chosen. */
export function choiceCount({ options, switches }: Rule): number {
  const ways = Object.values(options).reduce((product, { length }) => product * length, 1);
  return ways * 2 ** switches.length;
}

/**
 * Settings with the options and switches of this index (modulo their number) and random hyperparameters in their
 * ranges: defaults, values of any magnitude, and the ends of the range.
 */
export function randomSettings(rule: Rule, index: number, random: Random): RuleSettings {
  let rest = index % choiceCount(rule);
  const settings: Record<string, number | boolean | string> = {};
  for (const [name, values] of Object.entries(rule.options)) {
    settings[name] = values[rest % values.length];
    rest = Math.floor(rest / values.length);
  }
  for (const [name, range] of Object.entries(rule.hyperparameters)) {
    const position = rule.switches.indexOf(name);
    const isOff = position >= 0 && Math.floor(rest / 2 ** position) % 2 === 0;
    if (isOff) settings[name] = 0;
    else {
      const value = randomHyperparameter(name, range, random);
      settings[name] = position >= 0 && value === 0 ? 0.5 : value;
    }
  }
  return settings;
}

/** One value in its range. */
export function randomHyperparameter(
  name: string,
  { default: usual, min = -Infinity, max = Infinity, below = Infinity }: Hyperparameter,
  random: Random,
): number {
  if (random.chance(0.25)) return usual;
  if (name === "weightDecay" && random.chance(0.5)) return 0;
  if (Math.min(max, below) <= 1) {
    if (random.chance(0.1)) return Math.max(min, 0);
    const value = random.chance(0.5) ? random.unit() : 1 - 10 ** random.between(-5, 0);
    return Math.max(min, Math.min(max, value));
  }
  if (random.chance(0.05)) return Math.max(min, 0);
  const magnitude = 10 ** random.between(-8, name === "learningRate" ? 0 : -1);
  return Math.max(min, Math.min(max, magnitude));
}
