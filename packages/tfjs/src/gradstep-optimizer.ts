import {
  GradstepError,
  show,
  type OptimizerSpec,
  type OptimizerState,
  type Metrics,
  type Misfit,
  type ParameterGroup,
  type RestoreOptions,
} from "@gradstep/core";
import {
  dispose,
  Optimizer,
  type NamedTensorMap,
  type Scalar,
  type serialization,
  type Variable,
} from "@tensorflow/tfjs-core";
import { isArray } from "@gradstep/core/internal";
import { checkOptimizerOptions, type TfOptimizerOptions } from "./optimizer-options.js";
import { defineHyperparameters } from "./hyperparameters.js";
import { rejectUnknownProperties } from "./reject-unknown-properties.js";
import { lazyTensor } from "./state/lazy-tensor.js";
import { configDict, rememberRules, specOfConfig } from "./state/saved-config.js";
import type { TfOptimizerState } from "./state/optimizer-state.js";
import { droppedOptimizers } from "./state/dropped-optimizers.js";
import { readWeights } from "./state/read-weights.js";
import type { NamedTensor } from "./step/gradients.js";
import { scaledLoss, unscaledLoss } from "./step/scaled-loss.js";
import { VariableOptimizer } from "./variable-optimizer.js";

/**
 * The key of the implementation; internal. It is not a private field, because methods could not read that on
 * `Object.create(optimizer)` or a `Proxy`.
 */
export const implementation: unique symbol = Symbol("gradstep");

/**
 * A rule of gradstep as a `tf.Optimizer`: for `model.compile`, `minimize` and `applyGradients`. Created by
 * `tfOptimizer`, `adam` and the others.
 *
 * State is keyed by the name of the variable: variables may come later, be missing in a step, and come in any order. A
 * variable that is created again with the same name and shape continues with the state of that name; another shape is
 * an error, unless the rule has no state. The state of a variable that was disposed of is removed in the next step.
 */
export class GradstepOptimizer extends Optimizer {
  /** The name under which TF.js saves and loads it. */
  static get className(): string {
    return "GradstepOptimizer";
  }

  /** Whether it is one of gradstep's optimizers. TF.js itself accepts any object with the methods of an optimizer. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && implementation in value;
  }

  /** The learning rate of the next step; every other hyperparameter is a property like it. */
  declare learningRate: number;
  /** @internal */
  declare readonly [implementation]: VariableOptimizer;
  /** What `incrementIterations` and `extractIterations` add to the steps that were taken. */
  declare private iterationOffset: number;

  /** @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  constructor(spec: OptimizerSpec, options: TfOptimizerOptions = {}) {
    super();
    checkOptimizerOptions(options);
    const { groups = [], inPlace = true, ...control } = options;
    const variableOptimizer = new VariableOptimizer(spec, groups, inPlace, control);
    Object.defineProperties(this, {
      [implementation]: { value: variableOptimizer },
      iterationOffset: { value: 0, writable: true },
    });
    droppedOptimizers.register(this, variableOptimizer.unmanagedTensors, variableOptimizer);
    rememberRules(spec, groups);
    defineHyperparameters(this, variableOptimizer.core, Object.keys(spec.rule.hyperparameters));
  }

  /** The groups in the order in which they were given, with live hyperparameters. */
  get groups(): readonly ParameterGroup<string>[] {
    return this[implementation].core.groups;
  }

  /** Steps taken so far, including those before a checkpoint. */
  override get iterations(): number {
    return this[implementation].core.iterations + this.iterationOffset;
  }

  /** Calls whose gradients are accumulated for the next step; 0 without `accumulate`. */
  get microSteps(): number {
    return this[implementation].core.microSteps;
  }

  /** Steps that were left out because of gradients that were not finite. */
  get skippedSteps(): number {
    return this[implementation].core.skippedSteps;
  }

  /**
   * The factor by which `minimize` and `fit` multiply the next loss; 1 without `lossScale`. Before `applyGradients`, use
   * `scaleLoss`. On TF.js's webgpu backend, where the device adapts the scale, the number is that of the last
   * `await metrics()`.
   */
  get lossScale(): number {
    return this[implementation].core.lossScale;
  }

  /** Whether the variables hold the weights to evaluate with. */
  get isSwapped(): boolean {
    return this[implementation].core.isSwapped;
  }

  /**
   * Exchanges the variables with the weights to evaluate with, which stages such as `ema` and rules such as
   * `scheduleFreeAdamw` keep apart; the next call exchanges them back. In between, steps throw.
   * @throws {GradstepError} `UNSUPPORTED` (a rule without such weights), `INVALID_PARAMETER` (a variable that was disposed
   * of), `DISPOSED`
   */
  swap(): void {
    this.checkLive();
    this[implementation].swap();
  }

  /**
   * What the last step measured, such as the global norm of `clipByGlobalNorm`. Nothing is read back unless this is
   * called.
   * @throws {GradstepError} `DISPOSED`
   */
  async metrics(): Promise<Metrics> {
    this.checkLive();
    return this[implementation].core.metrics();
  }

  /** Sets `learningRate`. TF.js's SGD has this method. */
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }

  /**
   * The loss times the loss scale, as a new tensor: for gradients that you give to `applyGradients`. On TF.js's webgpu
   * backend the scale is that of the device, which is not read back.
   * @throws {GradstepError} `INVALID_GRADIENT` for what is no tensor, `DISPOSED`
   */
  scaleLoss(loss: Scalar): Scalar {
    this.checkLive();
    return scaledLoss(loss, () => this[implementation].lossScale());
  }

  /**
   * Computes the gradients of `f` and applies them. What it allocates is freed, also when it throws.
   *
   * @param f returns the cost, a scalar.
   * @param returnCost whether to return the cost; the caller then disposes of it.
   * @param varList the variables to update; all trainable ones if left out.
   * @throws {GradstepError} as `applyGradients` does, and `INVALID_GRADIENT` if `f` is no function
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    if (typeof f !== "function")
      throw new GradstepError(
        `minimize: got ${show(f)}; expected a function that returns the cost: minimize(() => tf.losses.meanSquaredError(labels, predict(x))).`,
        { code: "INVALID_GRADIENT" },
      );
    const { isLossScaled } = this[implementation];
    const scaled = isLossScaled ? (): Scalar => this.scaleLoss(f()) : f;
    const { value: scaledValue, grads } = this.computeGradients(scaled, varList);
    const value = isLossScaled
      ? unscaledLoss(scaledValue, () => this[implementation].lossScale())
      : scaledValue;
    try {
      this.applyGradients(grads);
    } catch (error) {
      value.dispose();
      throw error;
    } finally {
      dispose(grads);
    }
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  /**
   * Takes one step. Variables without a gradient are unchanged. A step that throws has changed nothing.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `INVALID_GRADIENT`, `LENGTH_MISMATCH`,
   * `STATE_MISMATCH`, `DISPOSED`, `OUT_OF_MEMORY`, `DEVICE_LOST`; `UNSUPPORTED` where TF.js switched from its webgpu
   * backend to another one since the last step
   */
  override applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    this.checkLive();
    this[implementation].step(variableGradients);
  }

  /**
   * Everything the next step depends on, apart from the values of the variables: plain data by the names of variables. A
   * snapshot: later steps do not change it. Variables that were disposed of are left out, unless there are no others.
   *
   * @throws {GradstepError} `DISPOSED`, `SWAPPED`
   */
  async state(): Promise<TfOptimizerState> {
    this.checkLive();
    const { iterationOffset } = this;
    const state = await this[implementation].states.state();
    return iterationOffset === 0 ? state : { ...state, iterationOffset };
  }

  /**
   * Continues from a state: the result of `state` here, or of an optimizer of core with the same rule. It replaces the
   * whole state and all hyperparameters; to use another learning rate, set it afterwards. Variables need not exist yet: the
   * next steps find the state of each variable by its name, also where TF.js's numbers in names differ. Restore the values
   * of the variables as well: they are not part of a state.
   *
   * @param options as in core's `restore`. With `partial`, variables that the state does not have keep theirs, and a state is
   * left out where its variable turns out to have another shape.
   * @returns what was not taken, with `partial`
   * @throws {GradstepError} `STATE_MISMATCH`, `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY`, `SWAPPED`,
   * `DISPOSED`; then nothing has changed. If a state might belong to several variables, or has another shape than its variable, the
   * next step throws `STATE_MISMATCH`.
   */
  restore(state: OptimizerState, options?: RestoreOptions): readonly Misfit[] {
    this.checkLive();
    const misfits = this[implementation].states.restore(state, options);
    this.iterationOffset = (state as TfOptimizerState).iterationOffset ?? 0;
    return misfits;
  }

  /**
   * The state as TF.js saves it: `iter`, then each slot of all variables, under the names that TF.js's own optimizers
   * use. Variables that were disposed of are left out, unless there are no others. A snapshot: later steps do not change
   * it. The tensors need no `dispose` unless TF.js computed with them.
   *
   * @throws {GradstepError} `DISPOSED`, `SWAPPED`
   */
  override async getWeights(): Promise<NamedTensor[]> {
    this.checkLive();
    const weights = await this[implementation].states.weights();
    return this.iterationOffset === 0
      ? weights
      : [await this.saveIterations(), ...weights.slice(1)];
  }

  /**
   * Continues from a state: the result of `getWeights` here, or of TF.js's own optimizer of the same kind. It replaces
   * all state; the next step assigns it to variables by name. Values are copied. Hyperparameters are not part of it;
   * they are in `getConfig`.
   *
   * @throws {GradstepError} `STATE_MISMATCH`, `DISPOSED`, `SWAPPED`; then nothing has changed
   */
  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    this.checkLive();
    const weights = await readWeights(weightValues);
    this.checkLive();
    this[implementation].states.restoreWeights(weights);
    this.iterationOffset = 0;
  }

  /** The number of steps as the first of the weights, `iter`. */
  override saveIterations(): Promise<NamedTensor> {
    return Promise.resolve({
      name: "iter",
      tensor: lazyTensor(Int32Array.of(this.iterations), [], "int32"),
    });
  }

  /** Adds one to `iterations`, for subclasses. The bias correction still counts the steps that were taken. */
  protected override incrementIterations(): void {
    this.iterationOffset += 1;
  }

  /** Sets `iterations` from the first of some weights and returns the others, for subclasses. */
  protected override async extractIterations(weightValues: NamedTensor[]): Promise<NamedTensor[]> {
    const [first] = await readWeights(
      isArray(weightValues) ? weightValues.slice(0, 1) : weightValues,
    );
    this.iterationOffset += first.values[0] - this.iterations;
    return weightValues.slice(1);
  }

  /** A configuration for `fromConfig`, with the current hyperparameters. @throws {GradstepError} `DISPOSED` */
  override getConfig(): serialization.ConfigDict {
    const { core, groups, inPlace } = this[implementation];
    return configDict(core.config(), groups, inPlace);
  }

  /** Creates an optimizer from the result of `getConfig`; TF.js calls it when it loads a model. */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { spec, inPlace } = specOfConfig(config);
    const make = cls as unknown as new (spec: OptimizerSpec, options: TfOptimizerOptions) => T;
    const optimizer = new make(spec, { inPlace });
    markLoaded(optimizer);
    return optimizer;
  }

  /** Frees all state. The variables are not disposed of. A second call does nothing. */
  override dispose(): void {
    droppedOptimizers.unregister(this[implementation]);
    this[implementation].dispose();
  }

  private checkLive(): void {
    if (this[implementation].isDisposed)
      throw new GradstepError("The optimizer was disposed of; create a new one.", {
        code: "DISPOSED",
      });
  }
}

/** For `fromConfig`, which TF.js calls when it loads a model. */
export function markLoaded(optimizer: unknown): void {
  if (optimizer instanceof GradstepOptimizer) optimizer[implementation].markLoaded();
}

rejectUnknownProperties(GradstepOptimizer.prototype);
