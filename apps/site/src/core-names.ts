import type * as core from "@gradstep/core";
import type { Rule, Schedule, Stage } from "@gradstep/core";

type Core = typeof core;

/** The names of the exports of core that have this type. */
type NamesOf<T> = { [K in keyof Core]: Core[K] extends T ? K : never }[keyof Core];

/** The functions that make built-in rules: `scheduleFreeSgd`. */
export type RuleName = NamesOf<{ readonly rule: Rule }>;

/** The functions that make built-in stages: `clipByNorm`. */
export type StageName = NamesOf<{ readonly stage: Stage }>;

/** The functions that make schedules of numbers alone: `cosineDecay`. */
export type ScheduleName = Exclude<
  NamesOf<(...values: never) => Schedule>,
  "constant" | "joinSchedules"
>;

/** The name of the function that makes what has this name in data: `clipByNorm` of `clip-by-norm`. */
export function factoryOf(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The name in data of what this function makes: `clip-by-norm` of `clipByNorm`. */
export function dataNameOf(factory: string): string {
  return factory.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
