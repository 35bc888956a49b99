import {
  createOptimizer,
  GradstepError,
  type GroupOptions,
  type Optimizer as CoreOptimizer,
  type OptimizerSpec,
  type StepControlOptions,
  type Tensor as CoreTensor,
} from "@gradstep/core";
import { engine, tensor, type NamedTensorMap, type Scalar } from "@tensorflow/tfjs-core";
import { adapterOf } from "./memory/adapters.js";
import type { UnmanagedTensors } from "./memory/unmanaged-tensors.js";
import { RelocatableBackend } from "./memory/relocatable-backend.js";
import { matchingNumberedNames } from "./group-patterns.js";
import { GroupVariants } from "./group-variants.js";
import { warnOfEmptyGroups } from "./empty-groups.js";
import { ParameterTable, type Parameter } from "./state/parameter-table.js";
import {
  addDisposalListener,
  removeDisposalListener,
  type DisposalListener,
} from "./state/variable-disposal.js";
import { VariableStates } from "./state/variable-states.js";
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
  /** Saves and restores its state. */
  readonly states: VariableStates;
  /** Whether losses are multiplied by a scale. */
  readonly isLossScaled: boolean;
  /** Whether the scale changes. */
  readonly #isScaleDynamic: boolean;
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
    const makeCore = (): CoreOptimizer =>
      createOptimizer<OptimizerSpec>({ ...spec, groups: [] }, {}, { ...control, groups: numbered });
    this.core = makeCore();
    const { lossScale, accumulate } = this.core.config();
    this.isLossScaled = lossScale !== undefined;
    this.#isScaleDynamic = typeof lossScale === "object";
    this.groups = given;
    this.variants = new GroupVariants(spec, numbered);
    this.inPlace = inPlace;
    const backend = new RelocatableBackend();
    this.#backend = backend;
    this.#table = new ParameterTable((shape) => backend.staging(shape), this.variants.haveSlots);
    this.#accumulated = new AccumulatedParameters(this.core, accumulate);
    this.states = new VariableStates({
      core: this.core,
      makeCore,
      spec,
      groups: given,
      variants: this.variants,
      backend,
      table: this.#table,
      accumulated: this.#accumulated,
    });
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
    this.states.remove([...claims.obsolete, ...also.obsolete]);
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
}

/** Ends the bindings of a step: between steps TF.js may free or move its memory. */
function release(parameters: readonly Parameter[]): void {
  for (const { values, gradient } of parameters) {
    values.release();
    gradient.release();
  }
}
