import { expect } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";

export const start = 0.7;
export const gradients = [0.3, -0.2, 0.5];

/** The parameter after each step. */
export function run(spec: OptimizerSpec, given: readonly number[] = gradients): number[] {
  const values = Float64Array.of(start);
  const optimizer = createOptimizer(spec, { w: oracle().wrap(values) });
  return given.map((gradient) => {
    optimizer.step({ w: Float64Array.of(gradient) });
    return values[0];
  });
}

/** The parameter after each step of an update p ← update(p, g, t). */
export function expected(update: (p: number, g: number, t: number) => number): number[] {
  let p = start;
  return gradients.map((g, i) => {
    p = update(p, g, i + 1);
    return p;
  });
}

/** Matches these numbers up to the rounding of f64. */
export function near(wanted: readonly number[]): readonly unknown[] {
  return wanted.map((value): unknown => expect.closeTo(value, 13));
}
