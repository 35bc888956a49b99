import type { Hyperparameter, Rule } from "@gradstep/core";
import type { Random } from "./random.js";

/** Settings of a rule: hyperparameters and options. */
export type RuleSettings = Readonly<Record<string, number | boolean | string>>;

/** The number of choices of a rule's options and structural hyperparameters. */
export function choiceCount({ options, structural }: Rule): number {
  const ways = Object.values(options).reduce((product, { length }) => product * length, 1);
  return ways * 2 ** structural.length;
}

/** The choices with this index, modulo their number: what `rule.variant` takes. */
export function choicesAt(rule: Rule, index: number): Readonly<Record<string, boolean | string>> {
  let quotient = index;
  const choices: Record<string, boolean | string> = {};
  const structural = rule.structural.map((name): [string, readonly boolean[]] => [
    name,
    [false, true],
  ]);
  for (const [name, values] of [...Object.entries(rule.options), ...structural]) {
    choices[name] = values[quotient % values.length];
    quotient = Math.floor(quotient / values.length);
  }
  return choices;
}

/**
 * The indices of all choices. The first `kernels` of them have different kernels; each of the others shares a kernel
 * with one of those and differs only on the host.
 */
export function kernelsFirst(rule: Rule): { indices: readonly number[]; kernels: number } {
  const all = Array.from({ length: choiceCount(rule) }, (_, i) => i);
  const texts = new Set<string>();
  const fingerprints = new Set<string>();
  const isNew = (index: number): boolean => {
    const choices = choicesAt(rule, index);
    // Equal texts are equal kernels, and a variant takes a while to build.
    const { slots, perElement, evaluation } = rule.texts(choices);
    const text = JSON.stringify([slots, perElement.map((source) => source.text), evaluation]);
    if (texts.has(text)) return false;
    texts.add(text);
    const { size } = fingerprints;
    return fingerprints.add(rule.variant(choices).perElement.fingerprint).size > size;
  };
  const first = all.filter(isNew);
  return {
    indices: [...first, ...all.filter((index) => !first.includes(index))],
    kernels: first.length,
  };
}

/** Settings with the choices of this index and random hyperparameters in their ranges. */
export function randomSettings(rule: Rule, index: number, random: Random): RuleSettings {
  const settings: Record<string, number | boolean | string> = { ...choicesAt(rule, index) };
  for (const [name, range] of Object.entries(rule.hyperparameters)) {
    if (settings[name] === false) settings[name] = 0;
    else {
      const isOn = settings[name] === true;
      const value = randomHyperparameter(name, range, random);
      settings[name] = isOn && value === 0 ? inRange(range, 0.5) : value;
    }
  }
  return settings;
}

/** This value, or the nearest that the hyperparameter can have. */
export function inRange(
  { default: usual, min = -Infinity, max = Infinity, below = Infinity }: Hyperparameter,
  value: number,
): number {
  return value < below ? Math.min(max, Math.max(min, value)) : usual;
}

/** A value in the range of a hyperparameter: its default, a value of any magnitude, or an end of the range. */
export function randomHyperparameter(
  name: string,
  hyperparameter: Hyperparameter,
  random: Random,
): number {
  const { default: usual, max = Infinity, below = Infinity } = hyperparameter;
  if (random.chance(0.25)) return usual;
  if (name === "weightDecay" && random.chance(0.5)) return inRange(hyperparameter, 0);
  if (Math.min(max, below) <= 1) {
    if (random.chance(0.1)) return inRange(hyperparameter, 0);
    const value = random.chance(0.5) ? random.unit() : 1 - 10 ** random.between(-5, 0);
    return inRange(hyperparameter, value);
  }
  if (random.chance(0.05)) return inRange(hyperparameter, 0);
  // Counts of steps, and exponents.
  if (Number.isInteger(usual) && random.chance(0.4))
    return inRange(hyperparameter, random.integer(1, 4));
  return inRange(hyperparameter, 10 ** random.between(-8, name === "learningRate" ? 0 : -1));
}
