import type { OptimizerState } from "@gradstep/core";
import type { ParameterValues } from "@gradstep/core/interop";

/** What a training run needs to continue. */
export interface Checkpoint {
  readonly parameters: Readonly<Record<string, ParameterValues>>;
  readonly optimizer: OptimizerState;
  /** States of other objects by their names, such as a random generator or the epoch. Plain data, and typed arrays. */
  readonly others: Readonly<Record<string, unknown>>;
}
