import { createOptimizer, type OptimizerSpec, type OptimizerState } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import type { Parameter } from "./optimizer-variables.js";

/** The state of an optimizer before its first step. */
export async function initialState(
  spec: OptimizerSpec,
  parameters: readonly Parameter[],
): Promise<OptimizerState> {
  const backend = reference();
  const tensors = parameters.map(({ name, shape }) => [name, backend.tensor(shape)] as const);
  const optimizer = createOptimizer(spec, Object.fromEntries(tensors));
  try {
    return await optimizer.state();
  } finally {
    optimizer.dispose();
  }
}
