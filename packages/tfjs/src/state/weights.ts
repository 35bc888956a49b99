import type { Fingerprint } from "./value-fingerprint.js";
import type { StepControlCounters } from "./step-control-weights.js";

/** Weights that do not belong to one parameter. */
export const sharedNames = {
  persistentScalars: "gradstep/persistentScalars",
  groupIterations: "gradstep/iterations",
  fingerprints: "gradstep/fingerprints",
  shapes: "gradstep/shapes",
} as const;

/** The content of a checkpoint. */
export interface Weights {
  readonly iterations: number;
  readonly parameters: ReadonlyMap<string, ParameterWeights>;
  /** For each group, the optimizer's own first, the scalars that its rule keeps between steps. */
  readonly persistentScalars: readonly Readonly<Record<string, number>>[];
  /** The steps of each group, in that order; left out where all take every step. */
  readonly groupIterations: readonly number[] | undefined;
  /** Left out without `accumulate`, `nonFinite` and `lossScale`. */
  readonly stepControl: StepControlCounters | undefined;
}

/** The state of one parameter. */
export interface ParameterWeights {
  readonly shape: readonly number[];
  readonly slots: Readonly<Record<string, Float32Array>>;
  /** The sum of the gradients since the last step. */
  readonly accumulated: Float32Array | undefined;
  readonly fingerprint: Fingerprint | undefined;
}
