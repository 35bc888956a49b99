import type { RemapOptions, StepOptions, UnselectedRows } from "@gradstep/core";
import type { Random } from "../random/random.js";
import type { Overrides, PlainStepOptions } from "./plain-optimizer.js";

/** Integers, which the counting rule computes with exactly. */
export function randomIntegers(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.integer(-9, 9));
}

/** At least one of the names, in any order. */
export function someNames(random: Random, all: Iterable<string>): string[] {
  const names = [...all];
  const order = new Map(names.map((name) => [name, random.unit()]));
  names.sort((a, b) => order.get(a)! - order.get(b)!);
  return names.slice(0, random.integer(1, names.length));
}

/** Numbers for some hyperparameters; 1 − learningRate · weightDecay is −1, 0 or 1, so that nothing grows. */
export function randomOverrides(random: Random): Overrides {
  const entries = (["learningRate", "alpha", "weightDecay"] as const)
    .filter(() => random.chance(0.5))
    .map((name) => [name, randomHyperparameter(random, name)] as const);
  return Object.fromEntries(entries);
}

/** A value for a hyperparameter of the counting rule. */
export function randomHyperparameter(
  random: Random,
  name: "learningRate" | "alpha" | "weightDecay",
): number {
  return random.integer(0, name === "weightDecay" ? 1 : 2);
}

/**
 * Masks for all parameters or for some, and what happens to the other rows; each may be left out.
 * @returns the same for the optimizer and for the plain one
 */
export function randomStepOptions(
  random: Random,
  rows: number,
  names: Iterable<string>,
): { readonly step: StepOptions; readonly plain: PlainStepOptions } {
  const mask = (): Uint32Array =>
    Uint32Array.from({ length: rows }, () => random.pick([0, 0, 1, 7]));
  const unselectedRows = random.pick<UnselectedRows | undefined>([
    undefined,
    "keep",
    "decay",
    "zero",
  ]);
  const other = unselectedRows === undefined ? {} : { unselectedRows };
  if (random.chance(0.2)) return { step: other, plain: other };
  if (random.chance(0.5)) {
    const one = mask();
    const all = Object.fromEntries([...names].map((name) => [name, one]));
    return { step: { rows: one, ...other }, plain: { rows: all, ...other } };
  }
  const named = Object.fromEntries(someNames(random, names).map((name) => [name, mask()]));
  return { step: { rows: named, ...other }, plain: { rows: named, ...other } };
}

/** A move of rows: the source of each new row, undefined for one of zeros, and whether its slots are reset. */
export function randomRows(
  random: Random,
  rows: number,
): {
  readonly sources: readonly (number | undefined)[];
  readonly isReset: readonly boolean[];
  /** The resets, as the optimizer takes them. */
  readonly options: Pick<RemapOptions, "resetRows">;
} {
  const sources = Array.from({ length: random.integer(1, 6) }, () =>
    random.chance(0.2) ? undefined : random.integer(0, rows - 1),
  );
  const chosen = sources.map(() => random.chance(0.3));
  const resetRows = Uint32Array.from(chosen, (flag) => (flag ? random.pick([1, 2 ** 31]) : 0));
  return random.chance(0.5)
    ? { sources, isReset: chosen, options: { resetRows } }
    : { sources, isReset: chosen.map(() => false), options: {} };
}
