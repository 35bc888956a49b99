import type { ImportedCheckpoint, ParameterValues } from "@gradstep/core/interop";

/**
 * A checkpoint of Keras. Its parameters are the trainable variables, by their names in Keras without that of the model,
 * such as `dense/kernel`, in Keras's order.
 */
export interface KerasCheckpoint extends ImportedCheckpoint {
  /** The other variables, such as `batch_normalization/moving_mean`, and those of frozen layers. */
  readonly otherTensors: Readonly<Record<string, ParameterValues>>;
}
