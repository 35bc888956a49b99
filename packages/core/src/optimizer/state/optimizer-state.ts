import type { UnselectedRows } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import type { ScheduleData } from "../../schedules/schedule.js";
import type { LossScaleState } from "../step-control/loss-scale.js";

/**
 * Everything the next step depends on, apart from the values of the parameters: plain data, keyed by name. It survives
 * `structuredClone`, IndexedDB and `v8.serialize` bit for bit, and JSON as long as all values are finite (JSON also drops
 * the sign of zeros).
 */
export interface OptimizerState {
  /** Version of this layout. */
  readonly version: 1;
  /** Name of the rule. */
  readonly rule: string;
  readonly options: Readonly<Record<string, boolean | string>>;
  /** A hash of what a rule or stage of your own computes, so that another text is noticed; left out for built-in ones. */
  readonly fingerprint?: string;
  /** Current hyperparameters of the optimizer. */
  readonly hyperparameters: Readonly<Record<string, number | ScheduleData>>;
  /** Steps taken. */
  readonly iterations: number;
  /** The optimizer's own group first, then the others in their order. */
  readonly groups: readonly GroupState[];
  /** The shape of each parameter. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /**
   * Values by parameter and slot, row-major: f32, or f64 from a backend of that precision. `restore`
   * also takes arrays of numbers, and the objects into which JSON turns typed arrays.
   */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  /**
   * The steps that each row has taken, for parameters with the option `rowSteps`; left out if there are none. `restore`
   * also takes arrays of numbers, and the objects into which JSON turns typed arrays.
   */
  readonly rowSteps?: Readonly<Record<string, Uint32Array>>;
  /**
   * The number of rows of parameters whose rows were counted on the device: the first ones of their shape, and steps leave
   * out the others. Left out if there are none.
   */
  readonly rowCounts?: Readonly<Record<string, number>>;
  /** Left out without `accumulate`, `nonFinite` and `lossScale`. */
  readonly control?: StepControlState;
}

/** The state of one group. */
export interface GroupState {
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  /** Steps of the group; if left out, computed from the optimizer's steps and `every`. */
  readonly iterations?: number;
  /** Name and options of the group's own rule; left out for groups with the optimizer's. */
  readonly rule?: string;
  readonly options?: Readonly<Record<string, boolean | string>>;
  readonly fingerprint?: string;
  /**
   * Hyperparameters that override the optimizer's, and `every`; empty for the first group. All of them for a group with
   * a rule of its own.
   */
  readonly hyperparameters: Readonly<Record<string, number | ScheduleData>>;
  /** Left out for groups that are not frozen. */
  readonly frozen?: boolean;
  /** Scalars that the rule keeps from step to step, such as Nadam's product of momenta. */
  readonly persistentScalars: Readonly<Record<string, number>>;
}

/** What the next step depends on because of `accumulate`, `nonFinite` and `lossScale`. */
export interface StepControlState {
  /** Calls since the last step. */
  readonly microSteps: number;
  /** By how much schedules advance in a step; left out for 1. */
  readonly callsPerStep?: number;
  readonly skippedSteps: number;
  readonly consecutiveSkips: number;
  readonly lossScale?: LossScaleState;
  /** The sum of the gradients of these calls, by parameter. */
  readonly accumulated: Readonly<Record<string, Values>>;
  /** The rows that were selected, by parameter; left out where all were. */
  readonly rows: Readonly<Record<string, Uint32Array>>;
  readonly unselectedRows?: UnselectedRows;
}
