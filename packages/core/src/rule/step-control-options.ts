/** A loss scale that grows while all gradients are finite, and shrinks when one is not. */
export interface DynamicLossScale {
  /** The first scale, 2¹⁵ if left out. */
  readonly initial?: number;
  /** Steps in a row with finite gradients after which it grows, 2,000 if left out. */
  readonly growthInterval?: number;
  /** What it is multiplied by then, 2 if left out. */
  readonly growthFactor?: number;
  /** What it is multiplied by at a step with a gradient that is not finite, 0.5 if left out. */
  readonly backoffFactor?: number;
}

/** The names of `StepControlOptions`. */
export const stepControlNames = ["accumulate", "schedulesCount", "nonFinite", "lossScale"] as const;

/** When calls of `step` become steps: part of a spec, of a configuration, and of the options of `createOptimizer`. */
export interface StepControlOptions {
  /**
   * Number of calls of `step` whose gradients are averaged for one step of the rule; 1 if left out. Nothing but the
   * accumulated gradients changes in the calls between.
   */
  readonly accumulate?: number | undefined;
  /** Whether schedules count calls, as in Keras, or steps; `"steps"` if left out. */
  readonly schedulesCount?: "steps" | "calls" | undefined;
  /**
   * What happens at a step with a gradient that is NaN or infinite: `"propagate"` takes it, `"skip"` leaves everything as
   * it was, `"throw"` throws `NON_FINITE`. Left out: `"skip"` with a loss scale, `"propagate"` without.
   */
  readonly nonFinite?: NonFinite | undefined;
  /**
   * The factor by which the caller multiplies the loss: gradients are divided by it. A number, or `"dynamic"` or its
   * parameters for one that adapts. `optimizer.lossScale` is the scale of the next loss.
   */
  readonly lossScale?: number | "dynamic" | DynamicLossScale | undefined;
}

/** What happens at a step with a gradient that is not finite. */
export type NonFinite = "propagate" | "skip" | "throw";
