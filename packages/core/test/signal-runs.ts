import type { Backend } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { bits, numbers } from "./support.js";

export const rows = 5;
export const columns = 3;
export const size = rows * columns;
export const gradientOf = (seed: number): Float32Array => numbers(size, seed);

/** Takes steps, and returns the bits of the parameter after each of them. */
export function run(
  spec: OptimizerSpec,
  steps: number,
  take: (
    optimizer: ReturnType<typeof createOptimizer>,
    gradient: Float32Array,
    step: number,
    backend: Backend,
  ) => void,
  options: OptimizerOptions = {},
): number[][] {
  const backend = reference();
  const w = backend.tensor([rows, columns], numbers(size, 99));
  const optimizer = createOptimizer(spec, { w }, options);
  return Array.from({ length: steps }, (_, step) => {
    take(optimizer, gradientOf(step), step, backend);
    return bits(w.view!());
  });
}
