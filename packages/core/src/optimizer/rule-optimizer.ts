import type { Tensor } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import type { Explanation } from "./explain/explanation.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { GradstepError } from "../errors.js";
import type { Gradients } from "./step/gradients.js";
import { Evaluation } from "./evaluation.js";
import type {
  Metrics,
  OptimizerConfig,
  OptimizerMethods,
  RestoreOptions,
  StateOptions,
} from "./optimizer.js";
import {
  defineHyperparameters,
  parameterGroup,
  type ParameterGroup,
} from "./groups/parameter-group.js";
import { OptimizerGroups, type GroupInputs } from "./groups/optimizer-groups.js";
import { readMetrics } from "./metrics.js";
import { ParameterTable } from "./parameters/parameter-table.js";
import { parameterOptionNames, type ParameterOptions } from "./parameters/parameter-options.js";
import { checkIsParameters, type Parameters } from "./parameters/parameter-checks.js";
import { checkHasRows } from "./rows/row-checks.js";
import { ParameterRows } from "./rows/parameter-rows.js";
import type { Rows } from "./rows/rows.js";
import { rejectUnknownProperties } from "./reject-unknown-properties.js";
import type { ResetOptions } from "./reset/reset-options.js";
import { resetSlots } from "./reset/reset-slots.js";
import type { Misfit } from "../errors.js";
import type { OptimizerState } from "./state/optimizer-state.js";
import { readState } from "./state/read-state.js";
import { restoreState } from "./state/restore-state.js";
import type { StateSource } from "./state/state-source.js";
import type { KernelRunner } from "./step-control/arithmetic-kernels.js";
import { givenStepControl } from "./step-control/complete-step-control.js";
import type { StepControl } from "./step-control/step-control.js";
import type { Clock } from "./step/step-scalars.js";
import type { SparseGradient } from "./sparse/sparse-gradient.js";
import { cannotEncode, checkEncodableRows } from "./step/encodable-inputs.js";
import { runKernel } from "./step/run-kernels.js";
import { StepRunner } from "./step/step-runner.js";
import { adaptControl, readCounts, writeCounts } from "./step-control/device-control.js";
import type { StepOptions } from "./step/step-options.js";

/** The arguments of `createOptimizer`, checked. */
interface OptimizerInputs extends GroupInputs {
  readonly parameters: Parameters;
  readonly parameterOptions: ParameterOptions;
  /** Undefined if every call is a step. */
  readonly control: StepControl | undefined;
}

/** The optimizer that `createOptimizer` makes: it owns the step count, and checks that it can be used. */
export class RuleOptimizer implements OptimizerMethods<string> {
  /** Defined with the other hyperparameters. */
  declare learningRate: number;
  readonly #views: readonly ParameterGroup[];
  readonly #groups: OptimizerGroups;
  readonly #table: ParameterTable;
  readonly #steps: StepRunner;
  readonly #evaluation = new Evaluation();
  readonly #clock: Clock = { iterations: 0, changes: 0, callsPerStep: 1 };
  /** Undefined if every call is a step. */
  readonly #control: StepControl | undefined;
  #disposed = false;

  constructor(inputs: OptimizerInputs) {
    const { spec, parameters, parameterOptions, control } = inputs;
    this.#control = control;
    this.#clock.callsPerStep = control?.callsPerStep ?? 1;
    this.#groups = new OptimizerGroups(inputs, this.#clock);
    this.#table = new ParameterTable(
      (parameter) => this.#groups.of(parameter),
      (tensor) => control && adaptControl(control, tensor, this.#groups.all, this.#clock),
    );
    this.#steps = new StepRunner({
      table: this.#table,
      groups: this.#groups,
      clock: this.#clock,
      control,
    });
    this.#table.add(parameters, parameterOptions);
    try {
      if (this.#table.records.length > 0) this.#groups.checkMatches(this.parameters);
    } catch (error) {
      this.dispose();
      throw error;
    }
    defineHyperparameters(this, this.#groups.defaults, Object.keys(spec.rule.hyperparameters));
    this.#views = this.#groups.own.map((group) =>
      parameterGroup(group, Object.keys(group.context.spec.rule.hyperparameters)),
    );
    Object.seal(this);
  }

  get groups(): readonly ParameterGroup[] {
    return this.#views;
  }

  get iterations(): number {
    return this.#clock.iterations;
  }

  get microSteps(): number {
    return this.#control?.microSteps ?? 0;
  }

  get skippedSteps(): number {
    return this.#control?.skippedSteps ?? 0;
  }

  get lossScale(): number {
    return this.#control?.lossScale?.scale ?? 1;
  }

  get lossScaleTensor(): Tensor | undefined {
    return this.#control?.guarded?.lossScale;
  }

  get parameters(): readonly string[] {
    return this.#table.names;
  }

  step(gradients: Gradients, options?: StepOptions): void {
    if (options === undefined && this.#steps.repeat(gradients)) return;
    this.#checkTrains();
    this.#steps.run(gradients, options);
  }

  encode(target: object, gradients: Gradients, options?: StepOptions): void {
    this.#checkTrains();
    this.#steps.encode(target, gradients, options);
  }

  gradient(name: string): Tensor {
    this.#checkLive();
    return this.#table.gradient(name);
  }

  rows(names: string | readonly string[] = this.parameters): Rows {
    this.#checkTrains();
    const records = this.#table.select(names);
    const backend = this.#table.backend!;
    checkHasRows(backend);
    return new ParameterRows({
      backend,
      records,
      tensors: () => this.#table.tensors(),
      onRemap: () => this.#steps.forget(),
      checkLive: () => this.#checkTrains(),
    });
  }

  add(parameters: Parameters, options: ParameterOptions = {}): this {
    this.#checkLive();
    checkIsParameters(parameters);
    checkOptions("add", options, parameterOptionNames);
    this.#table.add(parameters, options);
    return this;
  }

  remove(names: string | readonly string[]): void {
    this.#checkTrains();
    this.#table.remove(names);
    this.#steps.forget();
  }

  async state(options: StateOptions = {}): Promise<OptimizerState> {
    this.#checkTrains();
    checkOptions("state", options, ["reuse"]);
    return readState(this.#stateSource, this.#clock.iterations, options.reuse);
  }

  restore(state: OptimizerState, options: RestoreOptions = {}): readonly Misfit[] {
    this.#checkTrains();
    const clock = this.#clock;
    const restored = restoreState(this.#stateSource, state, options, clock.iterations);
    clock.iterations = restored.iterations;
    // Rows may be masked that were not, and the other way round.
    this.#steps.forget();
    if (this.#control !== undefined) writeCounts(this.#control, clock.iterations);
    return restored.misfits;
  }

  get #stateSource(): StateSource {
    return { groups: this.#groups.all, records: this.#table.records, control: this.#control };
  }

  reset(names: string | readonly string[] = this.parameters, options: ResetOptions = {}): void {
    this.#reset("reset", names, options, runKernel);
  }

  encodeReset(
    target: object,
    names: string | readonly string[] = this.parameters,
    options: ResetOptions = {},
  ): void {
    checkEncodableRows("rows", propertyOf(options, "rows"));
    this.#reset("encodeReset", names, options, (kernel, updates, count) => {
      if (kernel.encode === undefined)
        throw cannotEncode(this.#table.backend!.name, "resets", "reset()");
      kernel.encode(target, updates, count);
    });
  }

  #reset(
    method: string,
    names: string | readonly string[],
    options: ResetOptions,
    run: KernelRunner,
  ): void {
    this.#checkTrains();
    checkOptions(method, options, ["rows", "columns"]);
    const { records: all, backend } = this.#table;
    resetSlots({ backend: backend!, records: this.#table.select(names), all }, options, run);
  }

  fillCopies(names: string | readonly string[] = this.parameters): void {
    this.#checkLive();
    const { backend } = this.#table;
    for (const { update } of this.#table.select(names))
      for (const copy of update.copies) backend!.fillCopy!(update.parameter, copy);
  }

  encodeFillCopies(target: object, names: string | readonly string[] = this.parameters): void {
    this.#checkLive();
    const { backend } = this.#table;
    const selected = this.#table.select(names);
    if (backend?.encodeFillCopy === undefined)
      throw cannotEncode(backend!.name, "copies", "fillCopies()");
    for (const { update } of selected)
      for (const copy of update.copies) backend.encodeFillCopy(target, update.parameter, copy);
  }

  get isSwapped(): boolean {
    return this.#evaluation.isSwapped;
  }

  swap(): void {
    this.#checkLive();
    this.#evaluation.swap(this.#table.backend, this.#table.records);
    this.#steps.forget();
  }

  async metrics(): Promise<Metrics> {
    this.#checkLive();
    const [metrics] = await Promise.all([
      readMetrics(this.#table.records),
      this.#control && readCounts(this.#control, this.#table.records),
    ]);
    return { ...metrics, ...this.#control?.metrics };
  }

  async explain(
    name: string,
    index: number,
    gradients: Gradients | Values | Tensor | SparseGradient,
  ): Promise<Explanation> {
    this.#checkTrains();
    const [record] = this.#table.select([name]);
    // Loaded on demand, since few applications need it.
    const { explain } = await import("./explain/explain.js");
    return explain(record, index, {
      runs: this.#groups.runs,
      byName: this.#table.byName,
      gradients,
      nonFinite: this.#control?.options.nonFinite,
    });
  }

  config(): OptimizerConfig {
    this.#checkLive();
    const options = this.#control?.options;
    return this.#groups.config(options === undefined ? {} : givenStepControl(options));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#evaluation.free();
    this.#steps.forget();
    this.#control?.guarded?.dispose();
    this.#table.free();
  }

  /** @throws {GradstepError} `DISPOSED`, `SWAPPED` */
  #checkTrains(): void {
    this.#checkLive();
    this.#evaluation.checkTrains();
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The optimizer was disposed; make a new one.", { code: "DISPOSED" });
  }
}

rejectUnknownProperties(RuleOptimizer.prototype);
