import type { Tensor } from "../backend/backend.js";
import type { Gradients } from "./gradients.js";
import type { GroupOptions } from "./group-options.js";
import type { ParameterGroup } from "./parameter-group.js";
import type { Parameters } from "./parameters.js";
import type { Rows } from "./rows.js";
import type { StepOptions } from "./step-options.js";
import type { OptimizerState } from "./state.js";

/** What `optimizerByName` takes to make the same optimizer again. */
export interface OptimizerConfig {
  readonly name: string;
  /** Hyperparameters and options. */
  readonly settings: Readonly<Record<string, number | boolean | string>>;
  /** Groups, with the names of their parameters in `match`. */
  readonly groups: readonly GroupOptions[];
  /** Switches of the rule that are on although their hyperparameters are 0 now; left out where there are none. */
  readonly structural?: readonly string[];
}

/** A rule at work on some parameters. Made by `createOptimizer`. */
export interface OptimizerMethods<H extends string, T extends Tensor = Tensor> {
  /** Steps taken so far. */
  readonly iterations: number;
  /** The groups that were given, in that order, with live hyperparameters. */
  readonly groups: readonly ParameterGroup<H>[];
  /** The names of all parameters. */
  readonly parameters: readonly string[];
  /**
   * Takes one step: each parameter with a gradient, and its slots, are updated in place. Returns at once on every
   * backend; `tensor.read()` waits for what was called before it. A step that throws has changed nothing.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_GRADIENT` (among others where no gradient is given),
   * `LENGTH_MISMATCH`, `OVERLAPPING_MEMORY`, `DISPOSED`, `UNKNOWN_OPTION`, `UNSUPPORTED` (a backend without rows)
   */
  step(gradients: Gradients, options?: StepOptions): void;
  /**
   * Records one step into work of the caller's instead of doing it: on WebGPU, a `GPUCommandEncoder` or a
   * `GPUComputePassEncoder`. Nothing is submitted. The step is counted now, with the hyperparameters of now; it takes
   * effect when and where the caller's work does. Gradients are tensors: a typed array would be overwritten by the next
   * step before the first is done.
   *
   * @throws {GradstepError} as `step` does, and `UNSUPPORTED` where the backend has no such work
   */
  encode(target: object, gradients: Gradients, options?: StepOptions): void;
  /**
   * A tensor in the backend's memory for a parameter's gradient, made at the first call, the optimizer's to free: write
   * into it what `step` is then given, without a copy. `optimizer.gradient("w").view()` is its live values on backends
   * whose memory JavaScript sees.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `DISPOSED`, `OUT_OF_MEMORY`
   */
  gradient(name: string): T;
  /**
   * Parameters whose rows move together: their first dimension is the same. All parameters if `names` is left out.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_SHAPE`, `UNSUPPORTED`, `DISPOSED`
   */
  rows(names?: string | readonly string[]): Rows<T>;
  /**
   * Adds parameters, with fresh slots. They share the step number with the others.
   * @param options.mirrors as in `createOptimizer`
   * @throws {GradstepError} as `createOptimizer` does for parameters
   */
  add(parameters: Parameters<T>, options?: Pick<OptimizerOptions<H, T>, "mirrors">): void;
  /**
   * Removes parameters and frees their slots; the parameters themselves stay. The other parameters and the step number
   * are unchanged.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `DISPOSED`; then nothing has changed
   */
  remove(names: string | readonly string[]): void;
  /** Everything the next step depends on beside the parameters' values, as a copy. */
  state(): Promise<OptimizerState>;
  /**
   * Goes on from a state: N steps, `state`, `restore` into a new optimizer and N more steps give the bits of 2N steps.
   * @throws {GradstepError} `STATE_MISMATCH`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`; then nothing has changed
   */
  restore(state: OptimizerState): void;
  /** What makes an optimizer like this one, as plain data. */
  config(): OptimizerConfig;
  /** Frees the slots. Parameters are the caller's and stay. A second call does nothing. */
  dispose(): void;
}

/** An optimizer, with each of its rule's hyperparameters as a property that can be read and set between steps. */
export type Optimizer<H extends string = string, T extends Tensor = Tensor> = OptimizerMethods<
  H,
  T
> &
  Record<H, number>;

/** Options of `createOptimizer`. */
export interface OptimizerOptions<H extends string = string, T extends Tensor = Tensor> {
  /**
   * Hyperparameters for some of the parameters. A parameter may match one group at most; those that match none have the
   * optimizer's own. A group that matches nothing, or that names a parameter which does not exist, is an error, unless there are no
   * parameters yet.
   */
  readonly groups?: readonly GroupOptions<H>[];
  /**
   * Packed f16 mirrors by parameter, which the step itself keeps up to date: what a renderer reads. Tensors of the same
   * shape and backend, such as `backend.wrap(buffer, { shape, dtype: "f16" })` on WebGPU.
   */
  readonly mirrors?: Parameters<T>;
}
