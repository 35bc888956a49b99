import {
  GradstepError,
  type GroupOptions,
  type Misfit,
  type Optimizer as CoreOptimizer,
  type OptimizerSpec,
  type RestoreOptions,
} from "@gradstep/core";
import { propertyOf } from "@gradstep/core/internal";
import type { GroupVariants } from "../group-variants.js";
import { RelocatableBackend } from "../memory/relocatable-backend.js";
import type { AccumulatedParameters } from "../step/accumulated-parameters.js";
import type { NamedTensor } from "../step/gradients.js";
import { selectParameters, shapesOf, type TfOptimizerState } from "./optimizer-state.js";
import type { Parameter, ParameterTable } from "./parameter-table.js";
import { parseWeights, type ReadWeight } from "./read-weights.js";
import { planRestore } from "./restore-plan.js";
import { tryRestore } from "./trial-restore.js";
import { fingerprintsOf } from "./variable-fingerprints.js";
import { stateOf } from "./weights-state.js";
import { weightsOf } from "./write-weights.js";

/** The parts of an optimizer of variables that its states are made of. */
interface StateSource {
  readonly core: CoreOptimizer;
  /** Makes another optimizer like `core`, without parameters. */
  readonly makeCore: () => CoreOptimizer;
  readonly spec: OptimizerSpec;
  /** The groups as they were given. */
  readonly groups: readonly GroupOptions[];
  readonly variants: GroupVariants;
  readonly backend: RelocatableBackend;
  readonly table: ParameterTable;
  readonly accumulated: AccumulatedParameters;
}

/** Saves and restores the state of an optimizer of variables: as core's plain data, and as TF.js's named weights. */
export class VariableStates {
  readonly #source: StateSource;

  constructor(source: StateSource) {
    this.#source = source;
  }

  /** See `GradstepOptimizer.state`. */
  async state(): Promise<TfOptimizerState> {
    const { core, table } = this.#source;
    const shapes = new Map<string, readonly number[]>();
    for (const key of table.savedKeys()) shapes.set(key, table.get(key)!.shape);
    // All reads begin now, so that later steps change nothing in the snapshot.
    const [state, fingerprints] = await Promise.all([
      core.state(),
      fingerprintsOf(table, [...shapes.keys()]),
    ]);
    return { ...selectParameters(state, shapes), ...(fingerprints && { fingerprints }) };
  }

  /** The state as TF.js's named weights. @throws {GradstepError} `SWAPPED` */
  async weights(): Promise<NamedTensor[]> {
    return weightsOf(await this.state(), this.#source.variants);
  }

  /**
   * See `GradstepOptimizer.restore`.
   * @throws {GradstepError} `STATE_MISMATCH`, `INVALID_HYPERPARAMETER`, `OUT_OF_MEMORY`, `SWAPPED`; then nothing has changed
   */
  restore(state: TfOptimizerState, options?: RestoreOptions): readonly Misfit[] {
    const { core, table, variants, accumulated } = this.#source;
    if (core.isSwapped)
      throw new GradstepError(
        "The variables hold the weights to evaluate with; call swap() once more before you load a state.",
        { code: "SWAPPED" },
      );
    const shapes = shapesOf(state);
    const isPartial = propertyOf(options, "partial") === true;
    const { replaced, removed, kept } = planRestore(shapes, core.parameters, table, isPartial);
    if (replaced.length + removed.length > 0) {
      const backend = new RelocatableBackend();
      backend.use(this.#source.backend.adapter, variants.distinct);
      tryRestore(core, this.#source.makeCore(), { state, shapes, options, backend });
    }
    this.remove(replaced.map((key) => table.get(key)!));
    const made = [...shapes]
      .filter(([key]) => table.get(key) === undefined)
      .map(([key, shape]) => table.make(key, shape));
    core.add(Object.fromEntries(made.map(({ key, values }) => [key, values])));
    if (removed.length > 0) core.remove(removed);
    let untaken: readonly Misfit[];
    try {
      untaken = core.restore(state, options);
    } catch (error) {
      if (made.length > 0) core.remove(made.map(({ key }) => key));
      throw error;
    }
    const added = new Map(made.map((parameter) => [parameter.key, parameter]));
    const expected = [...shapes.keys()].flatMap((key) => {
      if (kept.has(key)) return [];
      const parameter = (added.get(key) ?? table.get(key))!;
      parameter.fingerprint = state.fingerprints?.[key];
      parameter.isOptional = isPartial;
      return [parameter];
    });
    table.expect(expected, isPartial);
    const { accumulated: sums = {} } = state.control ?? {};
    accumulated.add(expected.filter(({ key }) => Object.hasOwn(sums, key)));
    return untaken;
  }

  /** Replaces the state by TF.js's named weights. @throws {GradstepError} as `restore` does */
  restoreWeights(weights: readonly ReadWeight[]): void {
    this.restore(stateOf(parseWeights(weights, this.#source.variants), this.#source));
  }

  /** Removes the state of some parameters. */
  remove(parameters: readonly Parameter[]): void {
    if (parameters.length === 0) return;
    const { core, table } = this.#source;
    core.remove(parameters.map(({ key }) => key));
    table.remove(parameters);
  }
}
