import type { Tensor, Values } from "../backend/backend.js";
import type { Explanation } from "./explain/explanation.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, list } from "../errors.js";
import type { Gradients } from "./step/gradients.js";
import type { GroupOptions } from "./groups/group-options.js";
import { Evaluation } from "./evaluation.js";
import { Group, groupOf, ownDefaults } from "./groups/group.js";
import type {
  Metrics,
  OptimizerConfig,
  OptimizerMethods,
  OptimizerOptions,
  RestoreOptions,
  RuleConfig,
} from "./optimizer.js";
import {
  defineHyperparameters,
  parameterGroup,
  type ParameterGroup,
} from "./groups/parameter-group.js";
import { ruleContext, type KernelRun } from "./groups/rule-context.js";
import { readMetrics } from "./metrics.js";
import { ParameterTable } from "./parameters/parameter-table.js";
import type { Parameters } from "./parameters/parameter-checks.js";
import { checkHasRows } from "./rows/row-checks.js";
import { ParameterRows, type Rows } from "./rows/parameter-rows.js";
import type { OptimizerSpec } from "../rule/rule.js";
import { rejectUnknownProperties } from "./reject-unknown-properties.js";
import { resetSlots, type ResetOptions } from "./reset.js";
import { readState, writeState, type StateSource } from "./saved-state.js";
import type { OptimizerState } from "./state.js";
import type { KernelRunner } from "./step-control/accumulator.js";
import type { StepControl } from "./step-control/step-control.js";
import type { Clock } from "./step/step-scalars.js";
import { checkRowStepReset } from "./sparse/row-step-updates.js";
import { encodeKernels, runKernels } from "./step/run-kernels.js";
import { checkEncodable, StepInputs } from "./step/step-inputs.js";
import { checkSparseOptions, sparseConfig, type SparseOptions } from "./sparse/sparse-options.js";
import type { StepOptions } from "./step/step-options.js";

/** The optimizer that `createOptimizer` makes: it owns the groups and the step count, and orders what a step does. */
export class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  /** The optimizer's hyperparameters, which apply unless a group overrides them or has a rule of its own. */
  readonly #defaults: Group;
  readonly #groups: readonly Group[];
  /** The defaults, then the groups. */
  readonly #allGroups: readonly Group[];
  /** One run per rule. */
  readonly #runs: readonly KernelRun[];
  readonly #table: ParameterTable;
  readonly #inputs: StepInputs;
  readonly #evaluation = new Evaluation();
  readonly #clock: Clock = { iterations: 0, changes: 0, callsPerStep: 1 };
  /** Undefined if every call is a step. */
  readonly #control: StepControl | undefined;
  #disposed = false;

  /** @param specGroups how many of the groups are part of the spec */
  constructor(
    spec: OptimizerSpec,
    parameters: Parameters,
    groups: readonly GroupOptions[],
    specGroups: number,
    mirrors: Parameters = {},
    sparseOptions: SparseOptions = {},
    control?: StepControl,
  ) {
    this.#control = control;
    if (control?.options.schedulesCount === "calls")
      this.#clock.callsPerStep = control.options.accumulate;
    const sharing = groups.filter(({ rule }) => rule === undefined);
    const context = ruleContext(spec, sharing, this.#clock);
    const { name, hyperparameters } = spec.rule;
    this.#defaults = new Group(context, name, spec.hyperparameters);
    this.#defaults.sparseOptions = checkSparseOptions(
      name,
      sparseOptions,
      this.#defaults.sparseOptions,
      context.variant,
    );
    this.#groups = groups.map(
      ({ match, rule: own, frozen = false, sparse, rowSteps, ...overrides }, i) => {
        const label = `${name}, group ${i}`;
        const defaults =
          own === undefined ? this.#defaults : ownDefaults(label, own, overrides, this.#clock);
        const group = new Group(defaults.context, label, overrides, match, defaults);
        group.frozen = frozen;
        group.sparseOptions = checkSparseOptions(
          label,
          { sparse, rowSteps },
          this.#defaults.sparseOptions,
          group.context.variant,
        );
        return group;
      },
    );
    this.#allGroups = [this.#defaults, ...this.#groups];
    this.#runs = [...new Set(this.#allGroups.map((group) => group.context.run))];
    this.#table = new ParameterTable(
      (parameter) => groupOf(parameter, this.#defaults, this.#groups),
      (tensor) => control?.checkSupport(tensor),
    );
    this.#inputs = new StepInputs(this.#table.records, this.#table.byName, this.#runs);
    this.#table.add(parameters, mirrors);
    // A spec is used for several models: what it selects by a function need not be in all of them.
    const mayBeEmpty = (i: number): boolean =>
      i < specGroups && typeof groups[i].match === "function";
    if (this.#table.records.length > 0) this.#checkMatches(mayBeEmpty);
    defineHyperparameters(this, this.#defaults, Object.keys(hyperparameters));
    this.groups = this.#groups.map((group) =>
      parameterGroup(group, Object.keys(group.context.spec.rule.hyperparameters)),
    );
    Object.seal(this);
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

  get parameters(): readonly string[] {
    return this.#table.names;
  }

  step(gradients: Gradients, options?: StepOptions): void {
    if (options === undefined && this.#repeat(gradients)) return;
    const count = this.#prepare(gradients, options, runKernel);
    if (count < 0) return;
    runKernels(this.#table.backend!, this.#runs);
    this.#inputs.markRun(count);
    this.#commit();
    this.#control?.commit(this.#table.records, runKernel);
  }

  /** Repeats the last step if this one has the same tensors; otherwise does nothing and returns false. */
  #repeat(gradients: Gradients): boolean {
    if (this.#control !== undefined || this.#runs.length > 1 || !this.#inputs.isRepeat(gradients))
      return false;
    const [{ kernel, updates }] = this.#runs;
    const groups = this.#allGroups;
    for (let i = 0; i < groups.length; i += 1) if (!groups[i].isAlwaysDue) return false;
    const repeat = kernel!.repeater?.(updates);
    if (repeat === undefined) return false;
    // A schedule may refuse its value.
    for (let i = 0; i < groups.length; i += 1) groups[i].prepare();
    // Counted before the run, which evicts all of this from the caches.
    this.#clock.iterations += 1;
    for (let i = 0; i < groups.length; i += 1) groups[i].commit();
    repeat();
    return true;
  }

  encode(target: object, gradients: Gradients, options?: StepOptions): void {
    this.#checkLive();
    const { backend } = this.#table;
    const kernels = this.#runs.flatMap(({ kernel }) => kernel ?? []);
    if (backend !== undefined && kernels.some((kernel) => kernel.encode === undefined)) {
      throw new GradstepError(`Backend ${backend.name} cannot encode steps; use step().`, {
        code: "UNSUPPORTED",
      });
    }
    checkEncodable(gradients, options);
    const run: KernelRunner = (kernel, updates, count) => kernel.encode!(target, updates, count);
    if (this.#prepare(gradients, options, run) < 0) return;
    encodeKernels(backend!, this.#runs, target);
    this.#commit();
    this.#control?.commit(this.#table.records, run);
  }

  /** Checks and prepares everything that a step needs; returns the number of its updates, −1 if the call makes no step. */
  #prepare(gradients: Gradients, options: StepOptions | undefined, run: KernelRunner): number {
    this.#checkTrains();
    const iteration = this.#clock.iterations + 1;
    const inputs = this.#inputs;
    const control = this.#control;
    const count = inputs.take(gradients, options, iteration);
    const call = { records: inputs.taken, updates: inputs.updates, count };
    control?.reserve(call);
    inputs.stage(this.#table.stage, control?.hasAccumulators ?? false);
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(iteration)) group.prepare();
    }
    if (control?.admits(call) === false) return -1;
    if (control?.hasAccumulators !== true) {
      inputs.divideByRowSteps();
      return count;
    }
    const step = control.take(call, this.#table.records, options, run);
    if (step === undefined) return -1;
    if (step.isEmpty) return 0;
    const accumulated = inputs.take(step.gradients, step.options, iteration);
    inputs.stage(this.#table.stage, false);
    inputs.divideByRowSteps();
    return accumulated;
  }

  /** Counts the step. */
  #commit(): void {
    this.#clock.iterations += 1;
    this.#inputs.commit();
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(this.#clock.iterations)) group.commit();
    }
  }

  /** A group without parameters, or with an unknown name, is a mistake. @throws {GradstepError} `UNKNOWN_PARAMETER` */
  #checkMatches(mayBeEmpty: (group: number) => boolean): void {
    this.#groups.forEach((group, i) => {
      const unknown = group.names.filter((name) => !this.#table.byName.has(name));
      if (group.parameters.length > 0 && unknown.length === 0) return;
      if (mayBeEmpty(i)) return;
      this.dispose();
      const what = unknown.length > 0 ? `names ${list(unknown)}` : "matches nothing";
      throw new GradstepError(`Group ${i} ${what}; the parameters are ${list(this.parameters)}.`, {
        code: "UNKNOWN_PARAMETER",
      });
    });
  }

  gradient(name: string): Tensor {
    this.#checkLive();
    return this.#table.gradient(name);
  }

  rows(names: string | readonly string[] = this.parameters): Rows {
    this.#checkTrains();
    const records = this.#table.select(typeof names === "string" ? [names] : names);
    const backend = this.#table.backend!;
    checkHasRows(backend);
    return new ParameterRows({
      backend,
      records,
      tensors: () => this.#table.tensors(),
      onRemap: () => this.#inputs.forget(),
      checkLive: () => this.#checkTrains(),
    });
  }

  add(parameters: Parameters, options: Pick<OptimizerOptions, "mirrors"> = {}): void {
    this.#checkLive();
    checkOptions("add", options, ["mirrors"]);
    const { mirrors = {} } = options;
    this.#table.add(parameters, mirrors);
  }

  remove(names: string | readonly string[]): void {
    this.#checkTrains();
    this.#table.remove(typeof names === "string" ? [names] : names);
    this.#inputs.forget();
  }

  async state(): Promise<OptimizerState> {
    this.#checkTrains();
    return readState(this.#stateSource, this.#clock.iterations);
  }

  restore(state: OptimizerState, options: RestoreOptions = {}): void {
    this.#checkTrains();
    checkOptions("restore", options, ["schedules"]);
    this.#clock.iterations = writeState(this.#stateSource, state, options);
  }

  get #stateSource(): StateSource {
    return { groups: this.#allGroups, records: this.#table.records, control: this.#control };
  }

  reset(names: string | readonly string[] = this.parameters, options: ResetOptions = {}): void {
    this.#checkTrains();
    checkOptions("reset", options, ["rows", "columns"]);
    const { records, backend } = this.#table;
    const selected = this.#table.select(typeof names === "string" ? [names] : names);
    checkRowStepReset(selected, options);
    resetSlots(backend!, selected, records, options);
    for (const { rowSteps } of selected) rowSteps?.reset(options);
  }

  get isSwapped(): boolean {
    return this.#evaluation.isSwapped;
  }

  swap(): void {
    this.#checkLive();
    this.#evaluation.swap(this.#table.backend, this.#table.records);
    this.#inputs.forget();
  }

  async metrics(): Promise<Metrics> {
    this.#checkLive();
    return { ...(await readMetrics(this.#table.records)), ...this.#control?.metrics };
  }

  async explain(
    name: string,
    index: number,
    gradients: Gradients | Values | Tensor,
  ): Promise<Explanation> {
    this.#checkLive();
    const [record] = this.#table.select([name]);
    const isOne = ArrayBuffer.isView(gradients) || typeof gradients?.read === "function";
    const named = (isOne ? { [name]: gradients } : gradients) as Gradients;
    this.#inputs.check(named, name);
    // Loaded on demand, since few applications need it.
    const { explain } = await import("./explain/explain.js");
    return explain(this.#runs, this.#table.records, record, index, named);
  }

  config(): OptimizerConfig {
    this.#checkLive();
    return {
      ...this.#configOf(this.#defaults),
      ...this.#control?.config,
      ...sparseConfig(this.#defaults.sparseOptions),
      groups: this.#groups.map((group) => ({
        match: [...group.parameters],
        ...(group.frozen ? { frozen: true } : {}),
        ...sparseConfig(group.sparseOptions, this.#defaults.sparseOptions),
        ...(group.context === this.#defaults.context
          ? {}
          : { rule: this.#configOf(group.defaults!) }),
        ...group.overrides(),
      })),
    };
  }

  /** The configuration of the rule whose hyperparameters these are. */
  #configOf(defaults: Group): RuleConfig {
    const { spec, structural } = defaults.context;
    const groups = this.#allGroups.filter(({ context }) => context === defaults.context);
    const isZero = (name: string): boolean =>
      [defaults, ...groups].every((one) => one.get(name) === 0);
    const zero = structural.filter(isZero);
    return {
      name: spec.rule.name,
      ...(zero.length > 0 && { structural: zero }),
      settings: { ...defaults.overrides(), ...spec.options },
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#evaluation.free();
    this.#inputs.forget();
    this.#table.free();
  }

  /** @throws {GradstepError} `DISPOSED`, `SWAPPED` */
  #checkTrains(): void {
    this.#checkLive();
    if (this.isSwapped)
      throw new GradstepError(
        "The parameters hold the weights to evaluate with; call swap() once more before you train, save or restore.",
        { code: "SWAPPED" },
      );
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The optimizer was disposed; make a new one.", { code: "DISPOSED" });
  }
}

const runKernel: KernelRunner = (kernel, updates, count) => {
  kernel.run(updates, count);
};

rejectUnknownProperties(RuleOptimizer.prototype);
