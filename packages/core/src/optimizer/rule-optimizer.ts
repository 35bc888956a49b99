import type { Tensor } from "../backend/backend.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, list } from "../errors.js";
import type { Gradients } from "./step/gradients.js";
import type { GroupOptions } from "./groups/group-options.js";
import { Group, groupOf, type GroupContext } from "./groups/group.js";
import type { Metrics, OptimizerConfig, OptimizerMethods, OptimizerOptions } from "./optimizer.js";
import {
  defineHyperparameters,
  parameterGroup,
  type ParameterGroup,
} from "./groups/parameter-group.js";
import { ParameterTable } from "./parameters/parameter-table.js";
import type { Parameters } from "./parameters/parameter-checks.js";
import { checkHasRows } from "./rows/row-checks.js";
import { ParameterRows, type Rows } from "./rows/parameter-rows.js";
import { structuralOf, variantOf, type OptimizerSpec } from "../rule/rule.js";
import { rejectUnknownProperties } from "./reject-unknown-properties.js";
import { checkState, type OptimizerState } from "./state.js";
import { checkEncodable, StepInputs } from "./step/step-inputs.js";
import type { StepOptions } from "./step/step-options.js";
import type { Variant } from "../rule/variant.js";

/** The optimizer that `createOptimizer` makes: it owns the groups and the step count, and orders what a step does. */
export class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  readonly #spec: OptimizerSpec;
  readonly #variant: Variant;
  /** Structural hyperparameters that are not 0. */
  readonly #structural: readonly string[];
  /** The optimizer's hyperparameters, which apply unless a group overrides them. */
  readonly #defaults: Group;
  readonly #groups: readonly Group[];
  /** The defaults, then the groups. */
  readonly #allGroups: readonly Group[];
  readonly #table: ParameterTable;
  readonly #inputs: StepInputs;
  #iterations = 0;
  #disposed = false;

  constructor(
    spec: OptimizerSpec,
    parameters: Parameters,
    groups: readonly GroupOptions[],
    mirrors: Parameters = {},
  ) {
    const { rule } = spec;
    this.#structural = structuralOf(spec, groups);
    this.#spec = spec;
    this.#variant = variantOf(spec, groups);
    const context: GroupContext = {
      rule,
      variant: this.#variant,
      mustBeZero: rule.structural.filter((name) => !this.#structural.includes(name)),
      changes: { count: 0 },
    };
    this.#defaults = new Group(context, rule.name, spec.hyperparameters);
    this.#groups = groups.map(
      ({ match, ...overrides }, i) =>
        new Group(context, `${rule.name}, group ${i}`, overrides, match, this.#defaults),
    );
    this.#allGroups = [this.#defaults, ...this.#groups];
    this.#table = new ParameterTable(this.#variant, (name) =>
      groupOf(name, this.#defaults, this.#groups),
    );
    this.#inputs = new StepInputs(this.#table.records, this.#table.byName);
    this.#table.add(parameters, mirrors);
    if (this.#table.records.length > 0) this.#checkMatches();
    const hyperparameters = Object.keys(rule.hyperparameters);
    defineHyperparameters(this, this.#defaults, hyperparameters);
    this.groups = this.#groups.map((group) => parameterGroup(group, hyperparameters));
    Object.seal(this);
  }

  get iterations(): number {
    return this.#iterations;
  }

  get parameters(): readonly string[] {
    return this.#table.names;
  }

  step(gradients: Gradients, options?: StepOptions): void {
    if (options === undefined && this.#repeat(gradients)) return;
    const count = this.#prepare(gradients, options);
    if (count > 0) this.#table.kernel!.run(this.#inputs.updates, count);
    this.#inputs.markRun(count);
    this.#commit();
  }

  /** Repeats the last step if this one has the same tensors; otherwise does nothing and returns false. */
  #repeat(gradients: Gradients): boolean {
    if (!this.#inputs.isRepeat(gradients)) return false;
    const groups = this.#allGroups;
    for (let i = 0; i < groups.length; i += 1) if (groups[i].every !== 1) return false;
    const repeat = this.#table.kernel!.repeater?.(this.#inputs.updates);
    if (repeat === undefined) return false;
    // Counted before the run, which evicts all of this from the caches.
    this.#iterations += 1;
    for (let i = 0; i < groups.length; i += 1) {
      groups[i].prepare();
      groups[i].commit();
    }
    repeat();
    return true;
  }

  encode(target: object, gradients: Gradients, options?: StepOptions): void {
    this.#checkLive();
    const { backend, kernel } = this.#table;
    if (backend !== undefined && kernel?.encode === undefined) {
      throw new GradstepError(`Backend ${backend.name} cannot encode steps; use step().`, {
        code: "UNSUPPORTED",
      });
    }
    checkEncodable(gradients, options);
    const count = this.#prepare(gradients, options);
    if (count > 0) kernel!.encode!(target, this.#inputs.updates, count);
    this.#commit();
  }

  /** Checks and prepares everything that a step needs; returns the number of its updates. */
  #prepare(gradients: Gradients, options: StepOptions | undefined): number {
    this.#checkLive();
    const iteration = this.#iterations + 1;
    const count = this.#inputs.take(gradients, options, iteration);
    this.#inputs.stage(this.#table.stage);
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(iteration)) group.prepare();
    }
    return count;
  }

  /** Counts the step. */
  #commit(): void {
    this.#iterations += 1;
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(this.#iterations)) group.commit();
    }
  }

  /** A group without parameters, or with an unknown name, is a mistake. @throws {GradstepError} `UNKNOWN_PARAMETER` */
  #checkMatches(): void {
    this.#groups.forEach((group, i) => {
      const unknown = group.names.filter((name) => !this.#table.byName.has(name));
      if (group.parameters.length > 0 && unknown.length === 0) return;
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
    this.#checkLive();
    const records = this.#table.select(typeof names === "string" ? [names] : names);
    const backend = this.#table.backend!;
    checkHasRows(backend);
    return new ParameterRows({
      backend,
      variant: this.#variant,
      records,
      tensors: () => this.#table.tensors(),
      onRemap: () => this.#inputs.forget(),
      checkLive: () => this.#checkLive(),
    });
  }

  add(parameters: Parameters, options: Pick<OptimizerOptions, "mirrors"> = {}): void {
    this.#checkLive();
    checkOptions("add", options, ["mirrors"]);
    const { mirrors = {} } = options;
    this.#table.add(parameters, mirrors);
  }

  remove(names: string | readonly string[]): void {
    this.#checkLive();
    this.#table.remove(typeof names === "string" ? [names] : names);
    this.#inputs.forget();
  }

  async state(): Promise<OptimizerState> {
    this.#checkLive();
    const slotList = this.#stateSlots();
    // Everything on the host is copied now, so that steps taken before the reads resolve do not change it.
    const state = {
      version: 1 as const,
      rule: this.#spec.rule.name,
      options: { ...this.#spec.options },
      hyperparameters: this.#defaults.overrides(),
      iterations: this.#iterations,
      groups: this.#allGroups.map((group) => ({
        parameters: [...group.parameters],
        iterations: group.iterations,
        hyperparameters: group === this.#defaults ? {} : group.overrides(),
        persistentScalars: group.scalars.persistentScalars,
      })),
    };
    const reads = this.#table.records.map(({ name, update }) =>
      Promise.all(slotList.map(({ index }) => update.slots[index].read())).then((arrays) => [
        name,
        Object.fromEntries(slotList.map((slot, i) => [slot.name, arrays[i]])),
      ]),
    );
    // Await all reads together; otherwise one rejection would go unhandled.
    const slots = Object.fromEntries(await Promise.all(reads)) as OptimizerState["slots"];
    return { ...state, slots };
  }

  restore(state: OptimizerState): void {
    this.#checkLive();
    const groups = this.#allGroups;
    const slotList = this.#stateSlots();
    const slots = checkState(state, {
      rule: this.#spec.rule.name,
      options: this.#spec.options,
      groups: groups.map(({ parameters }) => parameters),
      persistentScalars: Object.keys(this.#variant.persistentScalars),
      sizes: new Map(
        this.#table.records.map(({ name, update }) => [
          name,
          slotList.map(({ index }) => update.slots[index].size),
        ]),
      ),
      slots: slotList.map(({ name }) => name),
    });
    const overrides = [
      state.hyperparameters,
      ...state.groups.slice(1).map(({ hyperparameters }) => hyperparameters),
    ];
    groups.forEach((group, i) => {
      for (const [name, value] of Object.entries(overrides[i])) group.check(name, value);
      for (const name of i === 0 ? Object.keys(this.#spec.rule.hyperparameters) : [])
        group.check(name, overrides[0][name]);
    });
    groups.forEach((group, i) => {
      group.replace(overrides[i]);
      const { persistentScalars, iterations } = state.groups[i];
      group.scalars.persistentScalars = persistentScalars;
      group.iterations = iterations ?? Math.floor(state.iterations / group.every);
    });
    this.#iterations = state.iterations;
    for (const { name, update } of this.#table.records) {
      slotList.forEach(({ index }, i) => update.slots[index].write(slots.get(name)![i]));
    }
  }

  /** The slots that are part of the state, with their places among all slots. */
  #stateSlots(): readonly { readonly name: string; readonly index: number }[] {
    return this.#variant.slots.flatMap(({ name, isMetric }, index) =>
      isMetric ? [] : [{ name, index }],
    );
  }

  async metrics(): Promise<Metrics> {
    this.#checkLive();
    const { records } = this.#table;
    const all = this.#variant.slots.flatMap(({ name, extent, isMetric }, index) =>
      isMetric ? [{ name, extent, index }] : [],
    );
    const reads = all.map(async ({ name, extent, index }) => {
      const values = await Promise.all(
        (extent === "all" ? records.slice(0, 1) : records).map(async (record) => {
          const [value] = await record.update.slots[index].read();
          return [record.name, value] as const;
        }),
      );
      return [name, extent === "all" ? (values[0]?.[1] ?? Number.NaN) : Object.fromEntries(values)];
    });
    return Object.fromEntries(await Promise.all(reads)) as Metrics;
  }

  config(): OptimizerConfig {
    this.#checkLive();
    const isZero = (name: string): boolean => this.#allGroups.every((one) => one.get(name) === 0);
    const structural = this.#structural.filter(isZero);
    return {
      name: this.#spec.rule.name,
      ...(structural.length > 0 && { structural }),
      settings: { ...this.#defaults.overrides(), ...this.#spec.options },
      groups: this.#groups.map((group) => ({ match: [...group.parameters], ...group.overrides() })),
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#inputs.forget();
    this.#table.free();
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The optimizer was disposed; make a new one.", { code: "DISPOSED" });
  }
}

rejectUnknownProperties(RuleOptimizer.prototype);
