import type { Hyperparameter, Rule } from "@gradstep/core";
import type { Random } from "./random.js";

/** Settings of a rule: hyperparameters and options. */
export type RuleSettings = Readonly<Record<string, number | boolean | string>>;

/** In how many ways a rule's options and structural hyperparameters can be chosen. */
export function choiceCount({ options, structural }: Rule): number {
  const ways = Object.values(options).reduce((product, { length }) => product * length, 1);
  return ways * 2 ** structural.length;
}

/** The options and structural hyperparameters of this index, modulo the number of ways: what `rule.variant` takes. */
export function choicesAt(rule: Rule, index: number): Readonly<Record<string, boolean | string>> {
  let rest = index;
  const choices: Record<string, boolean | string> = {};
  const structural = rule.structural.map((name): [string, readonly boolean[]] => [
    name,
    [false, true],
  ]);
  for (const [name, values] of [...Object.entries(rule.options), ...structural]) {
    choices[name] = values[rest % values.length];
    rest = Math.floor(rest / values.length);
  }
  return choices;
}

/**
 * The indices of all choices, in an order that begins with one for each thing that a backend can be asked to compute;
 * `kernels` is the number of those. The other choices differ in what is computed on the host.
 */
export function kernelsFirst(rule: Rule): { indices: readonly number[]; kernels: number } {
  const all = Array.from({ length: choiceCount(rule) }, (_, i) => i);
  const seen = new Set<string>();
  const isNew = (index: number): boolean => {
    const { size } = seen;
    return seen.add(rule.variant(choicesAt(rule, index)).perElement.fingerprint).size > size;
  };
  const first = all.filter(isNew);
  return {
    indices: [...first, ...all.filter((index) => !first.includes(index))],
    kernels: first.length,
  };
}

/**
 * Settings with the options and structural hyperparameters of this index and random hyperparameters in their ranges: defaults, values of
 * any magnitude, and the ends of the range.
 */
export function randomSettings(rule: Rule, index: number, random: Random): RuleSettings {
  const settings: Record<string, number | boolean | string> = { ...choicesAt(rule, index) };
  for (const [name, range] of Object.entries(rule.hyperparameters)) {
    if (settings[name] === false) settings[name] = 0;
    else {
      const isOn = settings[name] === true;
      const value = randomHyperparameter(name, range, random);
      settings[name] = isOn && value === 0 ? 0.5 : value;
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
