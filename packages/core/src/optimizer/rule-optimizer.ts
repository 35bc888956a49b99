import type { Backend, Kernel, Tensor, Update, Values } from "../backend/backend.js";
import type { Entry } from "./entry.js";
import { GradstepError, list, show } from "../errors.js";
import type { Gradients } from "./gradients.js";
import type { GroupOptions } from "./group-options.js";
import { Group, groupOf, type GroupContext } from "./groups.js";
import { checkKeys } from "./options.js";
import type { OptimizerConfig, OptimizerMethods, OptimizerOptions } from "./optimizer.js";
import { defineLive, parameterGroup, type ParameterGroup } from "./parameter-group.js";
import { checkCopies, checkDisjoint, checkParameters, type Parameters } from "./parameters.js";
import { checkHasRows, isRowValues } from "./row-values.js";
import { EntryRows, type Rows } from "./rows.js";
import { allocateSlots, gradientLane } from "./slots.js";
import { switchesOf, variantOf, type OptimizerSpec } from "../rule/spec.js";
import { checkState, type OptimizerState } from "./state.js";
import { StepInputs } from "./step-inputs.js";
import type { StepOptions } from "./step-options.js";
import type { Variant } from "../rule/variant.js";

/** What `createOptimizer` makes: groups, step count and the order of operations. */
export class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  readonly #spec: OptimizerSpec;
  readonly #variant: Variant;
  /** Those that are on. */
  readonly #switches: readonly string[];
  /** The optimizer's own hyperparameters, which hold where a group has none. */
  readonly #base: Group;
  readonly #groups: readonly Group[];
  /** The base, then the groups. */
  readonly #allGroups: readonly Group[];
  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  readonly #inputs = new StepInputs(this.#entries, this.#byName);
  #backend: Backend | undefined;
  #kernel: Kernel | undefined;
  #iterations = 0;
  /** Entries in front for whose gradients there is room. */
  #reserved = 0;
  #disposed = false;

  constructor(
    spec: OptimizerSpec,
    parameters: Parameters,
    groups: readonly GroupOptions[],
    copies: Parameters = {},
  ) {
    const { rule } = spec;
    const on = switchesOf(spec, groups);
    this.#switches = on;
    this.#spec = spec;
    this.#variant = variantOf(spec, groups);
    const context: GroupContext = {
      rule,
      variant: this.#variant,
      off: rule.switches.filter((name) => !on.includes(name)),
      changes: { count: 0 },
    };
    this.#base = new Group(context, rule.name, spec.hyperparameters);
    this.#groups = groups.map(
      ({ match, ...own }, i) =>
        new Group(context, `${rule.name}, group ${i}`, own, match, this.#base),
    );
    this.#allGroups = [this.#base, ...this.#groups];
    this.add(parameters, { copies });
    if (this.#entries.length > 0) this.#checkMatches();
    const hyperparameters = Object.keys(rule.hyperparameters);
    defineLive(this, this.#base, hyperparameters);
    this.groups = this.#groups.map((group) => parameterGroup(group, hyperparameters));
    Object.seal(this);
  }

  get iterations(): number {
    return this.#iterations;
  }

  get parameters(): readonly string[] {
    return this.#entries.map(({ name }) => name);
  }

  step(gradients: Gradients, options?: StepOptions): void {
    if (options === undefined && this.#repeat(gradients)) return;
    const count = this.#prepare(gradients, options);
    if (count > 0) this.#kernel!.run(this.#inputs.updates, count);
    this.#inputs.ran(count);
    this.#commit();
  }

  /** Takes the last step once more, where it was one with the same tensors. False, and nothing is done, for any other. */
  #repeat(gradients: Gradients): boolean {
    if (this.#disposed || !this.#inputs.isRepeat(gradients)) return false;
    const groups = this.#allGroups;
    for (let i = 0; i < groups.length; i += 1) if (groups[i].every !== 1) return false;
    const repeat = this.#kernel!.repeater?.(this.#inputs.updates);
    if (repeat === undefined) return false;
    for (let i = 0; i < groups.length; i += 1) groups[i].scalars.compute(groups[i].iterations + 1);
    // Before the run, which leaves nothing of this in the caches.
    this.#commit();
    repeat();
    return true;
  }

  encode(target: object, gradients: Gradients, options?: StepOptions): void {
    this.#checkLive();
    const kernel = this.#kernel;
    if (this.#backend !== undefined && kernel?.encode === undefined) {
      throw new GradstepError(
        `Backend ${this.#backend.name} has no work of the caller's to encode into; use step().`,
        { code: "UNSUPPORTED" },
      );
    }
    for (const [name, gradient] of Object.entries(gradients ?? {})) {
      if (ArrayBuffer.isView(gradient))
        throw new GradstepError(
          `Gradient "${name}" is ${show(gradient)}; expected a tensor, since arrays are not read when the work is done. Write it to optimizer.gradient("${name}").`,
          { code: "INVALID_GRADIENT" },
        );
    }
    const masks = options?.rows ?? {};
    for (const mask of isRowValues(masks) ? [masks] : Object.values(masks)) {
      if (ArrayBuffer.isView(mask))
        throw new GradstepError(
          `A mask is ${show(mask)}; expected a tensor, since arrays are not read when the work is done. Wrap a buffer as u32.`,
          { code: "INVALID_MEMORY" },
        );
    }
    const count = this.#prepare(gradients, options);
    if (count > 0) kernel!.encode!(target, this.#inputs.updates, count);
    this.#commit();
  }

  /** Room for the gradients of all parameters, when the first of them is made. */
  #reserveGradients(): void {
    if (this.#reserved === this.#entries.length) return;
    const sizes = this.#entries.slice(this.#reserved).map(({ update }) => update.parameter.size);
    this.#backend!.reserve?.(sizes, gradientLane);
    this.#reserved = this.#entries.length;
  }

  /** Checks and places everything that a step needs; returns the number of its updates. */
  #prepare(gradients: Gradients, options: StepOptions | undefined): number {
    this.#checkLive();
    const iteration = this.#iterations + 1;
    const count = this.#inputs.take(gradients, options, iteration);
    this.#inputs.stage(this.#stage);
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (group.isDue(iteration)) group.scalars.compute(group.iterations + 1);
    }
    return count;
  }

  /** The step was taken. */
  #commit(): void {
    this.#iterations += 1;
    for (let i = 0; i < this.#allGroups.length; i += 1) {
      const group = this.#allGroups[i];
      if (!group.isDue(this.#iterations)) continue;
      group.scalars.commit();
      group.iterations += 1;
    }
  }

  /** A group without parameters, or a name in it that nobody has, is a slip of the pen. */
  #checkMatches(): void {
    this.#groups.forEach((group, i) => {
      const unknown = group.names.filter((name) => !this.#byName.has(name));
      if (group.parameters.length > 0 && unknown.length === 0) return;
      this.dispose();
      const what = unknown.length > 0 ? `names ${list(unknown)}` : "matches nothing";
      throw new GradstepError(`Group ${i} ${what}; the parameters are ${list(this.parameters)}.`, {
        code: "UNKNOWN_PARAMETER",
      });
    });
  }

  readonly #stage = (entry: Entry, values: Values): Tensor => {
    if (entry.staging === undefined) this.#reserveGradients();
    entry.staging ??= this.#backend!.staging(entry.update.parameter.shape);
    entry.staging.stage(values);
    return entry.staging;
  };

  gradient(name: string): Tensor {
    this.#checkLive();
    const entry = this.#byName.get(name);
    if (entry === undefined) {
      throw new GradstepError(
        `Got ${show(name)}; the optimizer has the parameters ${list(this.parameters)}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    this.#reserveGradients();
    entry.gradient ??= this.#backend!.tensor(entry.update.parameter.shape, undefined, gradientLane);
    return entry.gradient;
  }

  rows(names: string | readonly string[] = this.parameters): Rows {
    this.#checkLive();
    const all = typeof names === "string" ? [names] : names;
    const isList =
      Array.isArray(all) &&
      all.length > 0 &&
      new Set(all).size === all.length &&
      [...all].every((name) => typeof name === "string");
    const unknown = isList ? all.filter((name) => !this.#byName.has(name)) : [];
    if (!isList || unknown.length > 0) {
      throw new GradstepError(
        `Got ${isList ? list(unknown) : show(names)}; expected some of the parameters ${list(this.parameters)}, each once.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    checkHasRows(this.#backend!);
    return new EntryRows({
      backend: this.#backend!,
      variant: this.#variant,
      entries: all.map((name) => this.#byName.get(name)!),
      others: () => this.#tensors(),
      checkLive: () => this.#checkLive(),
    });
  }

  /** Parameters and copies, by names for people. */
  #tensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name, update } of this.#entries) {
      tensors.set(name, update.parameter);
      if (update.copy !== undefined) tensors.set(`copy of ${name}`, update.copy);
    }
    return tensors;
  }

  add(parameters: Parameters, options: Pick<OptimizerOptions, "copies"> = {}): void {
    this.#checkLive();
    checkKeys("add", options, ["copies"]);
    const { copies = {} } = options;
    const present = this.#tensors();
    checkParameters(parameters, this.#backend, present);
    const shapes = new Map(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
    checkCopies(copies, shapes, this.#backend ?? Object.values(parameters)[0]?.backend);
    const copied = Object.entries(copies).map(([name, copy]) => [`copy of ${name}`, copy] as const);
    checkDisjoint([...present, ...Object.entries(parameters), ...copied]);
    const named = Object.entries(parameters).map(([name, tensor]) => ({
      name,
      tensor,
      group: groupOf(name, this.#base, this.#groups),
    }));
    if (named.length === 0) return;
    const backend = this.#backend ?? named[0].tensor.backend;
    // A backend may refuse a copy: before anything is the optimizer's.
    for (const { name, tensor } of named)
      if (copies[name] !== undefined) backend.pack!(tensor, copies[name]);
    const kernel = this.#kernel ?? backend.compile(this.#variant);
    const allSlots = allocateSlots(backend, this.#variant, named);
    this.#kernel = kernel;
    this.#backend = backend;
    for (const [i, { name, tensor, group }] of named.entries()) {
      const update: Update = {
        parameter: tensor,
        copy: copies[name],
        gradient: tensor,
        mask: undefined,
        others: "keep",
        slots: allSlots[i],
        scalars: group.scalars.values,
      };
      const { size } = tensor;
      const entry: Entry = { name, group, update, size, staging: undefined, gradient: undefined };
      this.#entries.push(entry);
      this.#byName.set(name, entry);
      group.parameters.push(name);
    }
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
        carry: group.scalars.carry,
      })),
    };
    const reads = this.#entries.map(({ name, update }) =>
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
      carry: Object.keys(this.#variant.carry),
      sizes: new Map(this.#entries.map(({ name, update }) => [name, update.parameter.size])),
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
      const { carry, iterations } = state.groups[i];
      group.scalars.carry = carry;
      group.iterations = iterations ?? Math.floor(state.iterations / group.every);
    });
    this.#iterations = state.iterations;
    for (const { name, update } of this.#entries) {
      this.#variant.slots.forEach((slot, i) => update.slots[i].write(state.slots[name][slot.name]));
    }
  }

  config(): OptimizerConfig {
    this.#checkLive();
    const isZero = (name: string): boolean => this.#allGroups.every((one) => one.get(name) === 0);
    const switches = this.#switches.filter(isZero);
    return {
      name: this.#spec.rule.name,
      ...(switches.length > 0 && { switches }),
      settings: { ...this.#base.own(), ...this.#spec.options },
      groups: this.#groups.map((group) => ({ match: [...group.parameters], ...group.own() })),
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { update, staging, gradient } of this.#entries) {
      for (const slot of update.slots) slot.free();
      staging?.free();
      gradient?.free();
    }
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The optimizer was disposed; make a new one.", { code: "DISPOSED" });
  }
}
