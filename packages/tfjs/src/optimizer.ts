import {
  checkOptions,
  createOptimizer,
  GradstepError,
  show,
  variantOf,
  type GroupOptions,
  type Optimizer as CoreOptimizer,
  type OptimizerSpec,
  type ParameterGroup,
  type Tensor as CoreTensor,
  type Variant,
} from "@gradstep/core";
import {
  dispose,
  engine,
  Optimizer,
  type NamedTensorMap,
  type Scalar,
  type serialization,
  type Variable,
} from "@tensorflow/tfjs-core";
import { configDict, rememberRule, specOfConfig } from "./config.js";
import { isSameShape, pairsOf, type NamedTensor } from "./gradients.js";
import { homeOf, watchBackends } from "./homes.js";
import { MovingBackend } from "./moving-backend.js";
import { ParameterTable } from "./parameters.js";
import { StepMemory } from "./step-memory.js";
import { stateOf } from "./state.js";
import { mismatch, parseWeights, readWeights, weightsOf, type Weights } from "./weights.js";

/** Options of `tfOptimizer` and of `adam`, `sgd` and the others. */
export interface TfOptimizerOptions<H extends string = string> {
  /**
   * Hyperparameters for some of the variables, by name: `[{ match: /bias/, weightDecay: 0 }]`. A group may match
   * variables that come later.
   */
  readonly groups?: readonly GroupOptions<H>[];
  /**
   * Whether a variable's own memory is updated where nothing else can see it; true if left out. `false` gives a
   * variable new memory in every step, as TF.js does.
   */
  readonly inPlace?: boolean;
}

/** A TF.js optimizer with each hyperparameter of its rule as a property that can be read and set between steps. */
export type TfOptimizer<H extends string = string> = string extends H
  ? GradstepOptimizer
  : GradstepOptimizer & Record<H, number>;

/**
 * A rule of gradstep as a `tf.Optimizer`: for `model.compile`, `minimize` and `applyGradients`. Made by `tfOptimizer`,
 * `adam` and the others.
 *
 * State is keyed by the name of the variable: variables may come later, be missing in a step, and come in any order. A
 * variable that is made anew under the same name and with the same shape goes on with the state of that name; with
 * another shape it is an error.
 */
export class GradstepOptimizer extends Optimizer {
  /** The name under which TF.js saves and loads it. */
  static get className(): string {
    return "GradstepOptimizer";
  }

  /** Whether it is one of gradstep's: TF.js takes anything that has its methods for an instance of any optimizer. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #core in value;
  }

  /** The rate of the next step; every other hyperparameter is a property like it. */
  declare learningRate: number;
  readonly #spec: OptimizerSpec;
  readonly #given: readonly GroupOptions[];
  readonly #variant: Variant;
  readonly #core: CoreOptimizer;
  readonly #backend = new MovingBackend();
  readonly #table: ParameterTable;
  readonly #inPlace: boolean;
  #disposed = false;

  /** @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
  constructor(spec: OptimizerSpec, options: TfOptimizerOptions = {}) {
    super();
    checkOptions("tfOptimizer", options, ["groups", "inPlace"]);
    const { groups = [], inPlace = true } = options;
    if (typeof inPlace !== "boolean") {
      throw new GradstepError(`tfOptimizer: inPlace is ${show(inPlace)}; expected true or false.`, {
        code: "UNKNOWN_OPTION",
      });
    }
    this.#core = createOptimizer<string>(spec, {}, { groups });
    this.#spec = spec;
    this.#given = [...spec.groups, ...groups];
    this.#variant = variantOf(spec, this.#given);
    this.#inPlace = inPlace;
    this.#table = new ParameterTable((shape) => this.#backend.staging(shape));
    rememberRule(spec.rule);
    watchBackends();
    const core = this.#core as unknown as Record<string, number>;
    for (const name of Object.keys(spec.rule.hyperparameters)) {
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => core[name],
        set: (value: number) => {
          core[name] = value;
        },
      });
    }
  }

  /** The groups that were given, in that order, with live hyperparameters. */
  get groups(): readonly ParameterGroup<string>[] {
    return this.#core.groups;
  }

  /** Steps taken so far; goes on where a checkpoint ended. */
  override get iterations(): number {
    return this.#core.iterations;
  }

  /** The same as setting `learningRate`, as TF.js's SGD has it. */
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }

  /**
   * Computes the gradients of `f` and applies them. What it allocates is freed, also when it throws.
   *
   * @param f gives the cost, a scalar.
   * @param returnCost whether to return the cost, which is then the caller's.
   * @param varList the variables to update; left out, all that are trainable.
   * @throws {GradstepError} as `applyGradients` does
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    const { value, grads } = this.computeGradients(f, varList);
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
   * Takes one step. Variables without a gradient stay as they are. A step that throws has changed nothing.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `INVALID_GRADIENT`, `LENGTH_MISMATCH`,
   * `STATE_MISMATCH`, `DISPOSED`, `OUT_OF_MEMORY`, `DEVICE_LOST`; `UNSUPPORTED` where TF.js's webgpu backend was left
   * for another since the last step
   */
  override applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    this.#checkLive();
    const pairs = pairsOf(variableGradients);
    if (pairs.length === 0) return;
    const { backend } = engine();
    this.#backend.moveTo(homeOf(backend), this.#variant);
    const claims = this.#table.claim(pairs.map(({ variable }) => variable));
    const memory = new StepMemory(pairs, backend, this.#backend.home, this.#inPlace);
    try {
      const gradients: Record<string, CoreTensor> = {};
      const added: Record<string, CoreTensor> = {};
      for (const { parameter, isNew } of claims) {
        gradients[parameter.key] = parameter.gradient;
        if (isNew) added[parameter.key] = parameter.values;
      }
      this.#core.add(added);
      this.#table.adopt(claims);
      memory.place(claims.map(({ parameter }) => parameter));
      this.#core.step(gradients);
    } catch (error) {
      memory.abort();
      throw error;
    } finally {
      // Nothing of TF.js's is held between steps: it may be freed or moved.
      for (const { parameter } of claims) {
        parameter.values.release();
        parameter.gradient.release();
      }
    }
    memory.commit();
  }

  /**
   * The state, as TF.js saves it: `iter`, then each slot of all variables, under the names that TF.js's own optimizers
   * use. A snapshot: later steps do not change it. The tensors need no `dispose` unless TF.js computed with them.
   *
   * @throws {GradstepError} `DISPOSED`
   */
  override async getWeights(): Promise<NamedTensor[]> {
    this.#checkLive();
    const state = await this.#core.state();
    return weightsOf(state, this.#variant, (key) => this.#table.shapeOf(key)!);
  }

  /**
   * Goes on from a state: what `getWeights` gave here, or TF.js's own optimizer of that kind. Values are copied.
   * Hyperparameters are not part of it; they are in `getConfig`.
   *
   * @throws {GradstepError} `STATE_MISMATCH`, `DISPOSED`; then nothing has changed
   */
  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    this.#checkLive();
    const weights = parseWeights(await readWeights(weightValues), this.#variant);
    this.#checkLive();
    this.#restore(weights);
  }

  #restore(weights: Weights): void {
    const { parameters, persistentScalars, groupIterations } = weights;
    for (const [key, { shape }] of parameters) {
      const expected = this.#table.shapeOf(key);
      if (expected !== undefined && !isSameShape(shape, expected))
        throw mismatch(
          `"${key}" has shape [${shape.join(", ")}]; expected [${expected.join(", ")}]`,
        );
    }
    const slotless = this.#variant.slots.length === 0;
    for (const key of slotless ? [] : this.#core.parameters) {
      if (!parameters.has(key)) throw mismatch(`there are none for "${key}"`);
    }
    const carried = Object.keys(this.#variant.persistentScalars).length > 0;
    if (carried && persistentScalars?.length !== this.groups.length + 1)
      throw mismatch(`there are no persistent scalars for ${this.groups.length + 1} groups`);
    if (groupIterations !== undefined && groupIterations.length !== this.groups.length + 1)
      throw mismatch(
        `there are the steps of ${groupIterations.length} groups; expected ${this.groups.length + 1}`,
      );

    const added = [...parameters]
      .filter(([key]) => this.#table.shapeOf(key) === undefined)
      .map(([key, { shape }]) => this.#table.make(key, shape));
    this.#core.add(Object.fromEntries(added.map((one) => [one.key, one.values])));
    for (const parameter of added) this.#table.wait(parameter);
    this.#core.restore(stateOf(weights, this.#core, this.#spec));
  }

  /** What makes an optimizer like this one, hyperparameters as they are now. @throws {GradstepError} `DISPOSED` */
  override getConfig(): serialization.ConfigDict {
    return configDict(this.#core.config(), this.#given, this.#inPlace);
  }

  /** Makes an optimizer from what `getConfig` gave; TF.js calls it when it loads a model. */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { spec, inPlace } = specOfConfig(config);
    const make = cls as unknown as new (spec: OptimizerSpec, options: TfOptimizerOptions) => T;
    return new make(spec, { inPlace });
  }

  /** Frees all state. Variables are the model's and stay. A second call does nothing. */
  override dispose(): void {
    this.#disposed = true;
    this.#core.dispose();
    this.#table.dispose();
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The optimizer was disposed of; make a new one.", {
        code: "DISPOSED",
      });
  }
}

/**
 * Any rule as a TF.js optimizer: `tfOptimizer(adam({ … }))` of core, `tfOptimizer(fromTfjs("adam", { … }))` for TF.js's
 * own numbers, `fromKeras`, `fromTorch`, `optimizerByName`, and rules of your own.
 *
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function tfOptimizer<H extends string>(
  spec: OptimizerSpec<H>,
  options: TfOptimizerOptions<NoInfer<H>> = {},
): TfOptimizer<H> {
  return new GradstepOptimizer(spec, options) as TfOptimizer<H>;
}
