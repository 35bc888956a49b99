import { GradstepError, type ErrorCode } from "../src/errors.js";
import type { OptimizerSpec } from "../src/rule/rule.js";

/** The code with which an action fails; anything but a GradstepError is a failure of the test. */
export function codeOf(action: () => unknown): ErrorCode {
  return failureOf(action).code;
}

/** The error with which an action fails. */
export function failureOf(action: () => unknown): GradstepError {
  try {
    action();
  } catch (error) {
    if (error instanceof GradstepError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

/** The bits of f32 values, so that NaN and signed zeros compare. */
export function bits(values: ArrayLike<number>): number[] {
  return [...new Uint32Array(Float32Array.from(values).buffer)];
}

/** Numbers between −1 and 1, the same for the same seed. */
export function numbers(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A value of any kind, where TypeScript would refuse it. */
export function anything<T>(value: unknown): T {
  return value as T;
}

/** The rule of a spec, its hyperparameters, and the options that differ from the rule's defaults. */
export function partsOf({
  rule,
  hyperparameters,
  options,
}: OptimizerSpec): Record<string, unknown> {
  const changed = Object.entries(options).filter(([key, value]) => value !== rule.options[key][0]);
  return { rule: rule.name, ...hyperparameters, ...Object.fromEntries(changed) };
}
