import type { BatchRun, Tensor, Update } from "./backend.js";

/** What a guard decides by. */
export interface GuardOptions {
  /** The arrays that hold the scalars of a step, which the updates of guarded runs refer to. */
  readonly scalars: readonly Float64Array[];
  /**
   * What the host keeps from step to step. When the scalars of a step are written, it holds the values after that step;
   * `read` returns those after the last step that was taken.
   */
  readonly persistent: Float64Array;
  /** The number of steps whose scalars the device keeps. */
  readonly keptSteps: number;
  /** Whether the device takes no further steps after gradients that are not finite, until `resume`. */
  readonly stopsAtNonFinite: boolean;
  /** An array of one scalar whose value in guarded runs is the loss scale times `accumulate`. */
  readonly divisor: Float64Array;
  readonly accumulate: number;
  readonly lossScale: {
    readonly growthInterval: number;
    readonly growthFactor: number;
    readonly backoffFactor: number;
  };
}

/**
 * Why the device stopped: `"nonFinite"` for gradients that are not finite, `"scalars"` for a step whose scalars have been
 * overwritten by those of later steps.
 */
export type StopCause = "nonFinite" | "scalars";

/** What the device has counted. */
export interface GuardCounts {
  /** Steps taken. */
  readonly steps: number;
  readonly skippedSteps: number;
  readonly consecutiveSkips: number;
  /** Steps taken since the loss scale last changed. */
  readonly goodSteps: number;
  readonly lossScale: number;
  /** The values of `persistent` after the last step that was taken. */
  readonly persistent: Float64Array;
  /** Steps that were not taken because the device had stopped, with those at which it stopped. */
  readonly missedSteps: number;
  /** How many times it has stopped. */
  readonly stops: number;
  /** Why it stopped the last time. */
  readonly stopCause: StopCause | undefined;
}

/**
 * Lets the device decide whether a step is taken, without a read-back. A step is one call of `check`, some of `run`, and
 * one of `advance`; they take effect in the order of the calls. With a target they are recorded into it, as in
 * `Kernel.encode`; without one they are submitted.
 */
export interface Guard {
  /** The loss scale of the next step, one f32. */
  readonly lossScale: Tensor;
  /**
   * Begins with the scalars of other hyperparameters: those of step `t` and the following ones are written next. Calls of
   * `run` that were recorded before keep theirs.
   */
  replaceScalars(t: number): void;
  /**
   * Stores what is in the arrays of scalars as the scalars of step `t`; 1 is the first step.
   * @param kind which parameters the step updates
   */
  writeScalars(t: number, kind: number): void;
  /** The next steps have everything they need if they are the device's step `t` or a later one; at another, it stops. */
  startAt(t: number): void;
  /** Lets the next calls of `check` and `run` do something only if the device's next step is of this kind; undefined for any. */
  restrict(kind: number | undefined): void;
  /**
   * Looks for values that are not finite in the first `count` updates: in the rows that a mask selects, otherwise in whole
   * gradients, also in those of a list of rows.
   */
  check(updates: readonly Update[], count: number, target?: object): void;
  /** Runs kernels as one step, with the scalars of the device's own step number; not if `check` found something. */
  run(runs: readonly BatchRun[], target?: object): void;
  /**
   * Counts the step as taken or skipped, and adapts the loss scale; or stops. A device that has stopped takes no step, and
   * changes nothing.
   */
  advance(target?: object): void;
  /** The counts after everything that was submitted before the call. */
  read(): Promise<GuardCounts>;
  /** Lets the device take steps again. @param stops the number of stops that are known */
  resume(stops: number): void;
  /** Replaces the counts; to be called before the first step. */
  write(counts: GuardCounts): void;
  /** Frees its memory. */
  dispose(): void;
}
