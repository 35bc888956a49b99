import type { Tensor } from "../backend/backend.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, list } from "../errors.js";
import type { Gradients } from "./gradients.js";
import type { GroupOptions } from "./group-options.js";
import { Group, groupOf, type GroupContext } from "./groups.js";
import type { OptimizerConfig, OptimizerMethods, OptimizerOptions } from "./optimizer.js";
import { defineLive, parameterGroup, type ParameterGroup } from "./parameter-group.js";
import { ParameterTable } from "./parameter-table.js";
import type { Parameters } from "./parameters.js";
import { checkHasRows } from "./row-values.js";
import { ParameterRows, type Rows } from "./rows.js";
import { structuralOf, variantOf, type OptimizerSpec } from "../rule/spec.js";
import { checkState, type OptimizerState } from "./state.js";
import { checkEncodable, StepInputs } from "./step-inputs.js";
import type { StepOptions } from "./step-options.js";
import type { Variant } from "../rule/variant.js";

/** What `createOptimizer` makes: groups, step count and the order of operations. */
export class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  readonly #spec: OptimizerSpec;
  readonly #variant: Variant;
  /** Those that are on. */
  readonly #structural: readonly string[];
  /** The optimizer's own hyperparameters, which hold where a group has none. */
  readonly #base: Group;
  readonly #groups: readonly Group[];
  /** The base, then the groups. */
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
    const on = structuralOf(spec, groups);
    this.#structural = on;
    this.#spec = spec;
    this.#variant = variantOf(spec, groups);
    const context: GroupContext = {
      rule,
      variant: this.#variant,
      off: rule.structural.filter((name) => !on.includes(name)),
      changes: { count: 0 },
    };
    this.#base = new Group(context, rule.name, spec.hyperparameters);
    this.#groups = groups.map(
      ({ match, ...own }, i) =>
        new Group(context, `${rule.name}, group ${i}`, own, match, this.#base),
    );
    this.#allGroups = [this.#base, ...this.#groups];
    this.#table = new ParameterTable(this.#variant, (name) =>
      groupOf(name, this.#base, this.#groups),
    );
    this.#inputs = new StepInputs(this.#table.entries, this.#table.byName);
    this.#table.add(parameters, mirrors);
    if (this.#table.entries.length > 0) this.#checkMatches();
    const hyperparameters = Object.keys(rule.hyperparameters);
    defineLive(this, this.#base, hyperparameters);
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
    this.#inputs.ran(count);
    this.#commit();
  }

  /** Takes the last step once more, where it was one with the same tensors. False, and nothing is done, for any other. */
  #repeat(gradients: Gradients): boolean {
    if (!this.#inputs.isRepeat(gradients)) return false;
    const groups = this.#allGroups;
    for (let i = 0; i < groups.length; i += 1) if (groups[i].every !== 1) return false;
    const repeat = this.#table.kernel!.repeater?.(this.#inputs.updates);
    if (repeat === undefined) return false;
    // Counted before the run, which leaves nothing of this in the caches.
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
      throw new GradstepError(
        `Backend ${backend.name} has no work of the caller's to encode into; use step().`,
        { code: "UNSUPPORTED" },
      );
    }
    checkEncodable(gradients, options);
    const count = this.#prepare(gradients, options);
    if (count > 0) kernel!.encode!(target, this.#inputs.updates, count);
    this.#commit();
  }

  /** Checks and places everything that a step needs; returns the number of its updates. */
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

  /** The step was taken. */
  #commit(): void {
    this.#iterations += 1;
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(this.#iterations)) group.commit();
    }
  }

  /** A group without parameters, or a name in it that nobody has, is a slip of the pen. */
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
    const entries = this.#table.select(typeof names === "string" ? [names] : names);
    const backend = this.#table.backend!;
    checkHasRows(backend);
    return new ParameterRows({
      backend,
      variant: this.#variant,
      entries,
      others: () => this.#table.tensors(),
      moved: () => this.#inputs.forget(),
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
    const { slots: slotList } = this.#variant;
    // Everything that is not on a device is copied now, so that steps taken while reads are under way change nothing.
    const state = {
      version: 1 as const,
      rule: this.#spec.rule.name,
      options: { ...this.#spec.options },
      hyperparameters: this.#base.own(),
      iterations: this.#iterations,
      groups: this.#allGroups.map((group) => ({
        parameters: [...group.parameters],
        iterations: group.iterations,
        hyperparameters: group === this.#base ? {} : group.own(),
        persistentScalars: group.scalars.persistentScalars,
      })),
    };
    const reads = this.#table.entries.map(({ name, update }) =>
      Promise.all(update.slots.map((slot) => slot.read())).then((arrays) => [
        name,
        Object.fromEntries(slotList.map((slot, i) => [slot.name, arrays[i]])),
      ]),
    );
    // All at once: a read that fails while another one is awaited would be nobody's.
    const slots = Object.fromEntries(await Promise.all(reads)) as OptimizerState["slots"];
    return { ...state, slots };
  }

  restore(state: OptimizerState): void {
    this.#checkLive();
    const groups = this.#allGroups;
    checkState(state, {
      rule: this.#spec.rule.name,
      options: this.#spec.options,
      groups: groups.map(({ parameters }) => parameters),
      persistentScalars: Object.keys(this.#variant.persistentScalars),
      // Of the slots: another optimizer may have moved the rows of the parameter.
      sizes: new Map(this.#table.entries.map(({ name, size }) => [name, size])),
      slots: this.#variant.slots.map(({ name }) => name),
    });
    const own = [
      state.hyperparameters,
      ...state.groups.slice(1).map(({ hyperparameters }) => hyperparameters),
    ];
    groups.forEach((group, i) => {
      for (const [name, value] of Object.entries(own[i])) group.check(name, value);
      for (const name of i === 0 ? Object.keys(this.#spec.rule.hyperparameters) : [])
        group.check(name, own[0][name]);
    });
    groups.forEach((group, i) => {
      group.replace(own[i]);
      const { persistentScalars, iterations } = state.groups[i];
      group.scalars.persistentScalars = persistentScalars;
      group.iterations = iterations ?? Math.floor(state.iterations / group.every);
    });
    this.#iterations = state.iterations;
    for (const { name, update } of this.#table.entries) {
      this.#variant.slots.forEach((slot, i) => update.slots[i].write(state.slots[name][slot.name]));
    }
  }

  config(): OptimizerConfig {
    this.#checkLive();
    const isZero = (name: string): boolean => this.#allGroups.every((one) => one.get(name) === 0);
    const structural = this.#structural.filter(isZero);
    return {
      name: this.#spec.rule.name,
      ...(structural.length > 0 && { structural }),
      settings: { ...this.#base.own(), ...this.#spec.options },
      groups: this.#groups.map((group) => ({ match: [...group.parameters], ...group.own() })),
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
