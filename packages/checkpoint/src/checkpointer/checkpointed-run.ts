import type { Misfit, OptimizerState, RestoreOptions, StateOptions, Values } from "@gradstep/core";

/** What a checkpointer needs of an optimizer. */
export interface CheckpointedOptimizer {
  readonly iterations: number;
  /** The names of its parameters, which a checkpointer must have, too. Any are right if left out. */
  readonly parameters?: readonly string[];
  /** Copies the state as it is when this is called. It can overwrite the arrays of `reuse`, its state in an earlier save. */
  state(options?: StateOptions): Promise<OptimizerState>;
  /**
   * Copies what it takes: arrays of the state are overwritten later.
   * @returns what did not fit, with `partial`, or nothing
   */
  restore(state: OptimizerState, options?: RestoreOptions): readonly Misfit[] | void;
}

/** What a checkpointer needs of a parameter: a tensor of any backend is one. */
export interface CheckpointedParameter {
  readonly shape: readonly number[];
  /** Whether it can neither be read nor written any more. */
  readonly freed?: boolean;
  /** Copies the values as they are when this is called. */
  read(): Promise<Values>;
  /** The live values. Optional: where it is there, a save copies them into the memory of an earlier one. */
  readonly view?: (() => Values) | undefined;
  write(values: ArrayLike<number>): void;
}

export type CheckpointedParameters = Readonly<Record<string, CheckpointedParameter>>;

/** Anything else that belongs to a run: a random generator, the epoch, `earlyStopping`. */
export interface Restorable {
  /** Plain data, which may hold typed arrays. It must not change afterwards. */
  state(): unknown;
  restore(state: never): void | Promise<void>;
}

export type Restorables = Readonly<Record<string, Restorable>>;

/** What is saved together. */
export interface CheckpointedRun {
  readonly optimizer: CheckpointedOptimizer;
  readonly parameters: CheckpointedParameters;
  readonly others: Restorables;
}
