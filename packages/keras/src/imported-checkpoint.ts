import type { OptimizerSpec, OptimizerState, Values } from "@gradstep/core";

/** The values of one variable. */
export interface VariableValues {
  readonly shape: readonly number[];
  readonly values: Values;
}

/**
 * A checkpoint of Keras. Make the tensors and the optimizer, then restore:
 * `createOptimizer(spec, tensors).restore(state)`.
 */
export interface ImportedCheckpoint {
  /** With its groups. */
  readonly spec: OptimizerSpec;
  /** The trainable variables, by their names in Keras without that of the model, such as `dense/kernel`, in Keras's order. */
  readonly parameters: Readonly<Record<string, VariableValues>>;
  /** The other variables, such as `batch_normalization/moving_mean`, and those of frozen layers. */
  readonly nonTrainable: Readonly<Record<string, VariableValues>>;
  readonly state: OptimizerState;
}
