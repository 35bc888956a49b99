import type { Values } from "../backend/memory.js";
import type { OptimizerState } from "../optimizer/state/optimizer-state.js";
import type { OptimizerSpec } from "../rule/rule.js";

/** The values of one parameter. */
export interface ParameterValues {
  readonly shape: readonly number[];
  readonly values: Values;
}

/**
 * A checkpoint of another library. Make the tensors and the optimizer, then restore:
 * `createOptimizer(spec, tensors).restore(state)`.
 */
export interface ImportedCheckpoint {
  /** With its groups. */
  readonly spec: OptimizerSpec;
  /** By the names that they have in the other library. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
  readonly state: OptimizerState;
}
