import {
  createOptimizer,
  GradstepError,
  type GroupOptions,
  type Misfit,
  type Optimizer as CoreOptimizer,
  type OptimizerConfig,
  type OptimizerSpec,
  type RestoreOptions,
  type StepControlOptions,
  type Tensor as CoreTensor,
} from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";
import { engine, tensor, type NamedTensorMap, type Scalar } from "@tensorflow/tfjs-core";
import { adapterOf } from "./memory/adapters.js";
import type { UnmanagedTensors } from "./memory/unmanaged-tensors.js";
import { RelocatableBackend } from "./memory/relocatable-backend.js";
import { matchingNumberedNames } from "./group-patterns.js";
import { GroupVariants } from "./group-variants.js";
import { warnOfEmptyGroups } from "./empty-groups.js";
import { selectParameters, shapesOf, type TfOptimizerState } from "./state/optimizer-state.js";
import { ParameterTable, type Parameter } from "./state/parameter-table.js";
import {
  addDisposalListener,
  removeDisposalListener,
  type DisposalListener,
} from "./state/variable-disposal.js";
import { planRestore } from "./state/restore-plan.js";
import { fingerprintsOf } from "./state/variable-fingerprints.js";
import { tryRestore } from "./state/trial-restore.js";
import { stateOf } from "./state/weights-state.js";
import { parseWeights, type ReadWeight } from "./state/read-weights.js";
import { weightsOf } from "./state/write-weights.js";
import { pairsOf, type NamedTensor } from "./step/gradients.js";
import { AccumulatedParameters } from "./step/accumulated-parameters.js";
import { StepStorage } from "./step/step-storage.js";

/** An optimizer of TF.js's variables: the implementation of `GradstepOptimizer`. */
export class VariableOptimizer implements DisposalListener {
  readonly core: CoreOptimizer;
  /** The groups as they were given. */
  readonly groups: readonly GroupOptions[];
  readonly inPlace: boolean;
  readonly variants: GroupVariants;
  /** Whether losses are multiplied by a scale. */
  readonly isLossScaled: boolean;
  /** Whether the scale changes. */
  readonly #isScaleDynamic: boolean;
  readonly #spec: OptimizerSpec;
  readonly #makeCore: () => CoreOptimizer;
  readonly #backend: RelocatableBackend;
  readonly #table: ParameterTable;
  readonly #accumulated: AccumulatedParameters;
  #areGroupsChecked = false;
  #disposed = false;

  /** @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `UNSUPPORTED` (`rowSteps`) */
  constructor(
    spec: OptimizerSpec,
    groups: readonly GroupOptions[],
    inPlace: boolean,
    control: StepControlOptions,
  ) {
    // Checks spec and groups; the optimizer below has other matches.
    createOptimizer<OptimizerSpec>(spec, {}, { ...control, groups }).dispose();
    const given = [...(spec.groups ?? []), ...groups];
    if ([spec.sparseOptions, ...given].some((one) => one?.rowSteps === true))
      throw new GradstepError(
        "rowSteps is true; expected it to be left out: TF.js's gradients cover whole variables, so all rows take the same steps.",
        { code: "UNSUPPORTED" },
      );
    const numbered = matchingNumberedNames(given);
    this.#makeCore = () =>
      createOptimizer<OptimizerSpec>({ ...spec, groups: [] }, {}, { ...control, groups: numbered });
    this.core = this.#makeCore();
    const { lossScale, accumulate } = this.core.config();
    this.isLossScaled = lossScale !== undefined;
    this.#isScaleDynamic = typeof lossScale === "object";
    this.#spec = spec;
    this.groups = given;
    this.variants = new GroupVariants(spec, numbered);
    this.inPlace = inPlace;
    const backend = new RelocatableBackend();
    this.#backend = backend;
    this.#table = new ParameterTable((shape) => backend.staging(shape), this.variants.haveSlots);
    this.#accumulated = new AccumulatedParameters(this.core, accumulate);
  }

  /** The tensors to free when the optimizer is garbage collected. */
  get unmanagedTensors(): UnmanagedTensors {
    return this.#backend.unmanaged;
  }

  /** Says that the optimizer was loaded with its model, so that the layers have the names that they were saved with. */
  markLoaded(): void {
    this.#table.isLoaded = true;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** See `GradstepOptimizer.applyGradients`. */
  step(variableGradients: NamedTensorMap | NamedTensor[]): void {
    const given = pairsOf(variableGradients);
    if (given.length === 0) return;
    const { backend } = engine();
    const claims = this.#table.claim(given.map(({ variable }) => variable));
    const also = this.#accumulated.alsoUpdated(claims, this.#table);
    const claimed = claims.list.map(({ parameter }) => parameter);
    const parameters = [...claimed, ...also.list.map(({ parameter }) => parameter)];
    const pairs = [...given, ...also.list.map(({ variable }) => ({ variable }))];
    this.#remove([...claims.obsolete, ...also.obsolete]);
    this.#backend.use(adapterOf(backend), this.variants.distinct);
    const storage = new StepStorage(pairs, backend, this.#backend.adapter, this.inPlace);
    try {
      const gradients: Record<string, CoreTensor> = {};
      const added: Record<string, CoreTensor> = {};
      for (const { parameter, isNew } of claims.list) {
        gradients[parameter.key] = parameter.gradient;
        if (isNew) added[parameter.key] = parameter.values;
      }
      this.core.add(added);
      this.#table.adopt([...claims.list, ...also.list]);
      storage.bind(parameters);
      for (const { values } of parameters) this.#backend.copyInitialValues(values);
      this.core.step(gradients);
    } catch (error) {
      storage.abort();
      throw error;
    } finally {
      release(parameters);
      this.#accumulated.add(claimed);
    }
    storage.commit();
    const { unmanaged } = this.#backend;
    if (!unmanaged.isEmpty) addDisposalListener(unmanaged, this);
    if (this.#areGroupsChecked) return;
    this.#areGroupsChecked = true;
    warnOfEmptyGroups(this.core, this.groups);
  }

  /** The scale of the next loss. Where the device adapts it, it is a new tensor over its memory. */
  lossScale(): number | Scalar {
    const { lossScale, lossScaleTensor } = this.core;
    if (!this.#isScaleDynamic || lossScaleTensor === undefined) return lossScale;
    const { buffer } = lossScaleTensor.memory as { readonly buffer: GPUBuffer };
    return tensor({ buffer, zeroCopy: true }, [], "float32");
  }

  /**
   * Exchanges the variables with the weights to evaluate with, or back.
   * @throws {GradstepError} `UNSUPPORTED`, `INVALID_PARAMETER`, `OUT_OF_MEMORY`; then nothing has changed
   */
  swap(): void {
    const claims = this.core.parameters.map((key) => {
      const variable = this.#table.variableOf(key);
      if (variable !== undefined) return { variable, parameter: this.#table.get(key)! };
      throw new GradstepError(
        `The optimizer has state for "${key}", and no variable: it was disposed of, or comes from a checkpoint and no step was taken yet; expected all variables. Take a step first.`,
        { code: "INVALID_PARAMETER" },
      );
    });
    const { backend } = engine();
    if (claims.length > 0) this.#backend.use(adapterOf(backend), this.variants.distinct);
    // A variable that is its own gradient gets new memory.
    const pairs = claims.map(({ variable }) => ({ variable, gradient: variable }));
    const storage = new StepStorage(pairs, backend, this.#backend.adapter, this.inPlace);
    const parameters = claims.map(({ parameter }) => parameter);
    try {
      storage.bind(parameters);
      this.core.swap();
    } catch (error) {
      storage.abort();
      throw error;
    } finally {
      release(parameters);
    }
    storage.commit();
  }

  /** See `GradstepOptimizer.state`. */
  async state(): Promise<TfOptimizerState> {
    const shapes = new Map<string, readonly number[]>();
    for (const key of this.#table.savedKeys()) shapes.set(key, this.#table.get(key)!.shape);
    // All reads begin now, so that later steps change nothing in the snapshot.
    const [state, fingerprints] = await Promise.all([
      this.core.state(),
      fingerprintsOf(this.#table, [...shapes.keys()]),
    ]);
    return { ...selectParameters(state, shapes), ...(fingerprints && { fingerprints }) };
  }

  /** The state as TF.js's named weights. @throws {GradstepError} `SWAPPED` */
  async weights(): Promise<NamedTensor[]> {
    return weightsOf(await this.state(), this.variants);
  }

  /**
   * See `GradstepOptimizer.restore`.
   * @throws {GradstepError} `STATE_MISMATCH`, `INVALID_HYPERPARAMETER`, `OUT_OF_MEMORY`, `SWAPPED`; then nothing has changed
   */
  restore(state: TfOptimizerState, options?: RestoreOptions): readonly Misfit[] {
    if (this.core.isSwapped)
      throw new GradstepError(
        "The variables hold the weights to evaluate with; call swap() once more before you load a state.",
        { code: "SWAPPED" },
      );
    const shapes = shapesOf(state);
    const isPartial = propertyOf(options, "partial") === true;
    const { replaced, removed, kept } = planRestore(
      shapes,
      this.core.parameters,
      this.#table,
      isPartial,
    );
    if (replaced.length + removed.length > 0) {
      const backend = new RelocatableBackend();
      backend.use(this.#backend.adapter, this.variants.distinct);
      tryRestore(this.core, this.#makeCore(), { state, shapes, options, backend });
    }
    this.#remove(replaced.map((key) => this.#table.get(key)!));
    const made = [...shapes]
      .filter(([key]) => this.#table.get(key) === undefined)
      .map(([key, shape]) => this.#table.make(key, shape));
    this.core.add(Object.fromEntries(made.map(({ key, values }) => [key, values])));
    if (removed.length > 0) this.core.remove(removed);
    let untaken: readonly Misfit[];
    try {
      untaken = this.core.restore(state, options);
    } catch (error) {
      if (made.length > 0) this.core.remove(made.map(({ key }) => key));
      throw error;
    }
    const added = new Map(made.map((parameter) => [parameter.key, parameter]));
    const expected = [...shapes.keys()].flatMap((key) => {
      if (kept.has(key)) return [];
      const parameter = (added.get(key) ?? this.#table.get(key))!;
      parameter.fingerprint = state.fingerprints?.[key];
      parameter.isOptional = isPartial;
      return [parameter];
    });
    this.#table.expect(expected, isPartial);
    const { accumulated = {} } = state.control ?? {};
    this.#accumulated.add(expected.filter(({ key }) => Object.hasOwn(accumulated, key)));
    return untaken;
  }

  /** Replaces the state by TF.js's named weights. @throws {GradstepError} as `restore` does */
  restoreWeights(weights: readonly ReadWeight[]): void {
    const { core, groups, variants } = this;
    const reader = { core, groups, variants, spec: this.#spec };
    this.restore(stateOf(parseWeights(weights, variants), reader));
  }

  /** The configuration that makes an optimizer like this one. */
  config(): OptimizerConfig {
    return this.core.config();
  }

  /** Frees all state. A second call does nothing. */
  dispose(): void {
    this.#disposed = true;
    removeDisposalListener(this.#backend.unmanaged);
    this.core.dispose();
    this.#table.dispose();
  }

  /** Moves the state of the variable out of TF.js's memory. The next step may need it, or remove it. */
  variableDisposed(name: string): void {
    const parameter = this.#table.ofVariable(name);
    if (parameter === undefined) return;
    this.#backend.moveToHost(parameter.values);
    parameter.values.unstage();
    parameter.gradient.unstage();
    if (this.#backend.unmanaged.isEmpty) removeDisposalListener(this.#backend.unmanaged);
  }

  #remove(parameters: readonly Parameter[]): void {
    if (parameters.length === 0) return;
    this.core.remove(parameters.map(({ key }) => key));
    this.#table.remove(parameters);
  }
}

/** Ends the bindings of a step: between steps TF.js may free or move its memory. */
function release(parameters: readonly Parameter[]): void {
  for (const { values, gradient } of parameters) {
    values.release();
    gradient.release();
  }
}
