import type { EncodeTargetOf, Tensor } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import type { Explanation } from "./explain/explanation.js";
import type { Gradients } from "./step/gradients.js";
import type { GroupOptions } from "../rule/rule.js";
import type { ParameterGroup } from "./groups/parameter-group.js";
import type { Parameters } from "./parameters/parameter-checks.js";
import type { ParameterOptions } from "./parameters/parameter-options.js";
import type { ResetOptions } from "./reset/reset-options.js";
import type { Rows } from "./rows/rows.js";
import type { SparseGradient } from "./sparse/sparse-gradient.js";
import type { SparseOptions } from "../rule/sparse-options.js";
import type { StepOptions } from "./step/step-options.js";
import type { ScheduleData } from "../schedules/schedule.js";
import type { StepControlOptions } from "../rule/step-control-options.js";
import type { Misfit } from "../errors.js";
import type { OptimizerState } from "./state/optimizer-state.js";

/** A rule with its settings as plain data. */
export type RuleConfig = Pick<OptimizerConfig, "name" | "settings" | "structural">;

/** A group as plain data. */
export type GroupConfig = Omit<GroupOptions, "rule"> & {
  /** The group's own rule. */
  readonly rule?: RuleConfig;
};

/** Plain data from which `optimizerByName` makes the same spec again. */
export interface OptimizerConfig extends StepControlOptions, SparseOptions {
  readonly name: string;
  /** Hyperparameters and options. */
  readonly settings: Readonly<Record<string, number | boolean | string | ScheduleData>>;
  /** Groups, with the names of their parameters in `match`. */
  readonly groups: readonly GroupConfig[];
  /** Structural hyperparameters that count as not 0 although they are 0 now; left out if there are none. */
  readonly structural?: readonly string[];
}

/** Options of `optimizer.state`. */
export interface StateOptions {
  /**
   * An earlier state that is no longer needed. On backends whose memory JavaScript can access, the new state reuses and
   * overwrites its arrays where they fit, which is faster than copying into new memory.
   */
  readonly reuse?: OptimizerState | undefined;
}

/** Options of `optimizer.restore`. */
export interface RestoreOptions {
  /**
   * `"same"`: a hyperparameter that follows another schedule than in the state is an error. `"code"`: it follows that of
   * this optimizer. `"same"` if left out.
   */
  readonly schedules?: "same" | "code" | undefined;
  /**
   * Whether to take what fits and leave the rest as it is, where a misfit would be an error: slots of the same name and
   * of parameters of the same name and shape, groups by the parameters that they hold, hyperparameters if the rule is the
   * same, accumulated gradients if all of them fit, and the number of steps. False if left out.
   */
  readonly partial?: boolean | undefined;
}

/** Metrics by name: one number, or one per parameter. */
export type Metrics = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/**
 * A rule applied to parameters. Made by `createOptimizer`. `R`: hyperparameters of the own rules of groups; `N`: names of
 * parameters.
 */
export interface OptimizerMethods<
  H extends string,
  T extends Tensor = Tensor,
  R extends string = never,
  N extends string = string,
> {
  /** The learning rate, which groups may override. Can be set between steps; setting a number replaces a schedule. */
  learningRate: number;
  /**
   * Number of steps taken. With `accumulate` k, it takes k calls of `step` to take one. On a GPU with `nonFinite: "skip"`,
   * skipped steps are counted as taken until `metrics()` or `state()` has resolved.
   */
  readonly iterations: number;
  /** Number of calls whose gradients are accumulated for the next step; 0 without `accumulate`. */
  readonly microSteps: number;
  /**
   * Number of steps that were left out because of gradients that were not finite. On a GPU, that of the last `metrics()`
   * or `state()`.
   */
  readonly skippedSteps: number;
  /** The factor for the next loss; 1 without `lossScale`. On a GPU, the one of the last `metrics()` or `state()`. */
  readonly lossScale: number;
  /**
   * The same on a GPU that decides which steps are skipped, one f32 that is always up to date: for the shader that
   * computes the loss. Undefined on other backends.
   */
  readonly lossScaleTensor: T | undefined;
  /** The groups of the options, in their order. */
  readonly groups: readonly ParameterGroup<H | R>[];
  /** The names of all parameters. */
  readonly parameters: readonly N[];
  /**
   * Takes one step: updates each parameter that has a gradient, and its slots, in place. Returns immediately on every
   * backend; `tensor.read()` waits for everything called before it. A step that throws has changed nothing.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_GRADIENT` (also if there is no gradient at all),
   * `LENGTH_MISMATCH`, `INVALID_SHAPE` (a tensor of several dimensions that are not the parameter's),
   * `OVERLAPPING_MEMORY`, `DISPOSED`, `UNKNOWN_OPTION`, `UNSUPPORTED` (a backend without rows), `SWAPPED` (after `swap`),
   * `NON_FINITE` (with `nonFinite: "throw"`), `INVALID_MEMORY` and `INVALID_HYPERPARAMETER` (values of options)
   */
  step(gradients: Gradients<N>, options?: StepOptions): void;
  /**
   * Records one step into a target of the caller instead of executing it: on WebGPU, a `GPUCommandEncoder` or a
   * `GPUComputePassEncoder`. Nothing is submitted. The step is counted at once, with the current hyperparameters, and
   * takes effect when the caller's work is executed. Gradients must be tensors: a typed array would be overwritten by
   * the next step before this one is executed. Record into a target that has not ended: for one that has, WebGPU reports
   * an error of the device later, when the step is counted already.
   *
   * @throws {GradstepError} as `step` does, and `UNSUPPORTED` if the backend cannot encode
   */
  encode(target: EncodeTargetOf<T>, gradients: Gradients<N>, options?: StepOptions): void;
  /**
   * A tensor in the backend's memory for a parameter's gradient: write the gradient to it and pass it to `step`, which
   * then copies nothing. Made at the first call, owned and freed by the optimizer. On backends whose memory JavaScript
   * can access, `optimizer.gradient("w").view()` is its live values.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `DISPOSED`, `OUT_OF_MEMORY`
   */
  gradient(name: N): T;
  /**
   * Rows of parameters that have the same first dimension, to be moved together. All parameters if `names` is left out.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_SHAPE`, `UNSUPPORTED`, `DISPOSED`
   */
  rows(names?: N | readonly N[]): Rows<T>;
  /**
   * Adds parameters, with new slots. Steps are counted per group, not per parameter: a parameter added at step 5,000 has
   * the bias correction of step 5,000, so that Adam's first updates of it are up to 3 times as large as usual. Put late
   * parameters into an optimizer of their own if that matters.
   * @returns the same optimizer; its type has the new names, too
   * @param options as in `createOptimizer`
   * @throws {GradstepError} as `createOptimizer` does for parameters
   */
  add<M extends string>(
    parameters: Parameters<T> & Readonly<Record<M, unknown>>,
    options?: ParameterOptions<T>,
  ): this & OptimizerMethods<H, T, R, N | M>;
  /**
   * Removes parameters and frees their slots; the parameters themselves stay. The other parameters and the step number
   * are unchanged.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `DISPOSED`; then nothing has changed
   */
  remove(names: N | readonly N[]): void;
  /**
   * Copies everything the next step depends on, apart from the values of the parameters.
   * @throws {GradstepError} `DISPOSED`, `UNKNOWN_OPTION`, `SWAPPED` (after `swap`: the values to save with the state are
   * those before it)
   */
  state(options?: StateOptions): Promise<OptimizerState>;
  /**
   * Continues from a state: N steps, `state`, `restore` into a new optimizer and N more steps give the bits of 2N steps.
   * All hyperparameters are replaced by those of the state, the learning rate included; to use another rate, set it after
   * `restore`. Schedules continue at the step of the state, and must be those of the state. The state may come from another
   * backend. Parameters and groups are found by their names. The values of the parameters are not part of a state.
   *
   * @param options.schedules `"code"` uses the schedules of this optimizer where those of the state differ
   * @param options.partial takes what fits
   * @returns what does not fit and was not taken; empty without `partial`
   * @throws {GradstepError} `STATE_MISMATCH`, which lists every misfit and has them as `misfits`; `UNKNOWN_OPTION`,
   * `INVALID_HYPERPARAMETER`, `DISPOSED`, `SWAPPED`, `OUT_OF_MEMORY`; then nothing has changed
   */
  restore(state: OptimizerState, options?: RestoreOptions): readonly Misfit[];
  /**
   * Resets slots to their initial values, those of all parameters if `names` is left out; in the order of the calls, as a
   * step. Parameters, hyperparameters, accumulated gradients, and the step number with the bias correction stay as they
   * are; rows that count their own steps (`rowSteps`) restart at 0, unless `columns` are given. A slot that all parameters
   * share is reset if all of them are named.
   *
   * @param options rows and columns, for a part of the parameters
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_SHAPE` (columns outside of a parameter, or a single number),
   * `LENGTH_MISMATCH`, also for rows that were moved without this optimizer, `INVALID_MEMORY`, `UNSUPPORTED` (a backend
   * without rows), `UNKNOWN_OPTION`, `OUT_OF_MEMORY`, `SWAPPED`, `DISPOSED`; then nothing has changed
   */
  reset(names?: N | readonly N[], options?: ResetOptions): void;
  /**
   * Records a reset into a target of the caller instead of executing it: one dispatch for all slots with a value per
   * element. It takes effect when the caller's work is executed; first values that are hyperparameters are the current ones.
   *
   * @param target as in `encode`
   * @param options as in `reset`; rows must be a tensor
   * @throws {GradstepError} as `reset` does, and `UNSUPPORTED` if the backend cannot encode; then nothing has changed
   */
  encodeReset(target: EncodeTargetOf<T>, names?: N | readonly N[], options?: ResetOptions): void;
  /**
   * Fills the copies of parameters, of all parameters if `names` is left out: after the parameters were written without a
   * step.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `DISPOSED`
   */
  fillCopies(names?: N | readonly N[]): void;
  /**
   * The same, recorded into a target of the caller: after a kernel of the caller has changed parameters.
   * @param target as in `encode`
   * @throws {GradstepError} as `fillCopies` does, and `UNSUPPORTED` if the backend cannot encode
   */
  encodeFillCopies(target: EncodeTargetOf<T>, names?: N | readonly N[]): void;
  /** Whether `swap` has put the weights to evaluate with into the parameters. */
  readonly isSwapped: boolean;
  /**
   * Exchanges the parameters with the weights to evaluate with, which rules such as `scheduleFree` and stages such as
   * `ema` keep apart; the next call exchanges them back, bit for bit. In between, steps, `state` and `restore`
   * throw, and one copy of the parameters is kept in the backend's memory.
   * @throws {GradstepError} `UNSUPPORTED` (a rule without such weights, or a backend that cannot copy), `OUT_OF_MEMORY`,
   * `DISPOSED`; then nothing has changed
   */
  swap(): void;
  /**
   * What the last step measured, by name: a number, or numbers by the names of parameters. Which metrics there are is
   * part of the rule and its stages, such as the global norm of `clipByGlobalNorm`. Where rules of groups have one of the
   * same name over all tensors, it is that of the first parameter of the last step. NaN before the first step. Nothing is
   * read back unless this is called.
   * @throws {GradstepError} `DISPOSED`
   */
  metrics(): Promise<Metrics>;
  /**
   * What the next step would do with one element of a parameter: each line of the rule and of its stages with its value,
   * as data and, with `String(explanation)`, as text. Nothing changes. Values are those of the reference. Where the step
   * leaves the parameter as it is, `unchanged` says why; for a group with `every`, it is the next step of the group.
   *
   * @param index in the parameter, row-major
   * @param gradients as in `step`, or the gradient of this parameter alone. With `accumulate` and `lossScale`, what the rule
   * gets: the mean of the calls, divided by the scale. A reduction over all tensors covers those that have a gradient
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER` (an index outside of it), `DISPOSED`, `SWAPPED`, and as
   * `step` does for the gradients
   */
  explain(
    name: N,
    index: number,
    gradients: Gradients<N> | Values | Tensor | SparseGradient,
  ): Promise<Explanation>;
  /** Plain data from which `optimizerByName` makes the spec of an optimizer like this one. */
  config(): OptimizerConfig;
  /** Frees the slots, not the parameters. A second call does nothing. */
  dispose(): void;
}

/**
 * An optimizer. The hyperparameters of its rule are properties that can be read and set between steps. Without type
 * arguments, an optimizer of any rule and any parameters: `let optimizer: Optimizer`.
 */
export type Optimizer<
  H extends string = never,
  T extends Tensor = Tensor,
  R extends string = never,
  N extends string = string,
> = OptimizerMethods<H, T, R, N> & Record<H, number>;

/** Options of `createOptimizer`. */
export interface OptimizerOptions<
  H extends string = string,
  T extends Tensor = Tensor,
  R extends string = string,
>
  extends SparseOptions, StepControlOptions, ParameterOptions<T> {
  /**
   * Hyperparameters for some of the parameters. A parameter may match at most one group; parameters that match none have
   * the hyperparameters of the optimizer. A group that matches nothing, or that names an unknown parameter, is an error,
   * unless there are no parameters yet.
   */
  readonly groups?: readonly GroupOptions<H, R>[] | undefined;
}
