import type { Update } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { StepOptions } from "../step/step-options.js";
import type { KernelRunner } from "./arithmetic-kernels.js";

/** One call of `step` or `encode`, whose gradients are checked. */
export interface ControlledCall {
  /** The records with gradients. */
  readonly records: readonly ParameterRecord[];
  /** Their updates. */
  readonly updates: readonly Update[];
  /** The number of valid records and updates. */
  readonly count: number;
  /** Whether a sparse gradient selects the rows of a record. */
  readonly isLazy: (record: ParameterRecord) => boolean;
  /** The records of the optimizer. */
  readonly all: readonly ParameterRecord[];
  readonly options: StepOptions | undefined;
  readonly run: KernelRunner;
  /** What `run` records into, if it records. */
  readonly target: object | undefined;
}

/** What a call and the step that it completes have in common. */
export type StepCall = Pick<ControlledCall, "all" | "options" | "run" | "target">;
