import type { Backend, Kernel, StagingTensor, Tensor, Update, Values } from "./backend.js";
import { GradstepError, list, show } from "./errors.js";
import { checkGradient, type Gradients } from "./gradients.js";
import {
  Group,
  groupOf,
  type GroupContext,
  type GroupOptions,
  type ParameterGroup,
} from "./groups.js";
import type { OptimizerConfig, OptimizerMethods } from "./optimizer.js";
import { checkParameters, type Parameters } from "./parameters.js";
import { allocateSlots, gradientLane } from "./slots.js";
import { switchesOf, variantOf, type OptimizerSpec } from "./spec.js";
import { checkState, type OptimizerState } from "./state.js";
import type { Variant } from "./variant.js";

/** One parameter of an optimizer. */
interface Entry {
  readonly name: string;
  readonly group: Group;
  readonly update: Update;
  /** Where typed arrays enter; made when the first one comes. */
  staging: StagingTensor | undefined;
  /** What `gradient` gave; made when it is asked for. */
  gradient: Tensor | undefined;
}

/** What `createOptimizer` makes: groups, step count and the order of operations. */
export class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  readonly #spec: OptimizerSpec;
  readonly #variant: Variant;
  readonly #base: Group;
  readonly #groups: readonly Group[];
  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  /** The updates of the present step, in front; as long as the entries. */
  readonly #updates: Update[] = [];
  /** The entries of the present step whose gradients are typed arrays, and those, in front. */
  readonly #unstaged: Entry[] = [];
  readonly #arrays: Values[] = [];
  #arrayCount = 0;
  #backend: Backend | undefined;
  #kernel: Kernel | undefined;
  #iterations = 0;
  /** Entries in front for whose gradients there is room. */
  #reserved = 0;
  #disposed = false;

  constructor(spec: OptimizerSpec, parameters: Parameters, groups: readonly GroupOptions[]) {
    const { rule } = spec;
    const on = switchesOf(spec, groups);
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
    this.add(parameters);
    if (this.#entries.length > 0) this.#checkMatches();
    for (const name of Object.keys(rule.hyperparameters)) defineLive(this, name, this.#base);
    this.groups = this.#groups.map((group) => {
      const facade = {
        get parameters() {
          return [...group.parameters];
        },
      };
      for (const name of Object.keys(rule.hyperparameters)) defineLive(facade, name, group);
      return Object.seal(facade) as ParameterGroup;
    });
    Object.seal(this);
  }

  get iterations(): number {
    return this.#iterations;
  }

  get parameters(): readonly string[] {
    return this.#entries.map(({ name }) => name);
  }

  step(gradients: Gradients): void {
    const count = this.#prepare(gradients);
    this.#kernel!.run(this.#updates, count);
    this.#commit();
  }

  encode(target: object, gradients: Gradients): void {
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
    const count = this.#prepare(gradients);
    kernel!.encode!(target, this.#updates, count);
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
  #prepare(gradients: Gradients): number {
    this.#checkLive();
    const count = this.#collect(gradients);
    for (let i = 0; i < this.#arrayCount; i += 1) {
      const entry = this.#unstaged[i];
      entry.update.gradient = this.#stage(entry, this.#arrays[i]);
    }
    const t = this.#iterations + 1;
    this.#base.scalars.compute(t);
    for (let i = 0; i < this.#groups.length; i += 1) this.#groups[i].scalars.compute(t);
    return count;
  }

  /** The step was taken. */
  #commit(): void {
    this.#base.scalars.commit();
    for (let i = 0; i < this.#groups.length; i += 1) this.#groups[i].scalars.commit();
    this.#iterations += 1;
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

  /**
   * Checks all gradients and puts the updates of those that there are in front of `#updates`, in the order of the
   * entries; returns their number. Nothing is staged before all are checked.
   */
  #collect(gradients: Gradients): number {
    if (gradients === null || typeof gradients !== "object") {
      throw new GradstepError(
        `Got ${show(gradients)} as gradients; expected arrays or tensors by parameter name.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    let count = this.#collectInOrder(gradients);
    if (count < 0) count = this.#collectByName(gradients);
    if (count === 0) {
      throw new GradstepError(
        `Got no gradient for any of ${list(this.parameters)}; expected at least one.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    return count;
  }

  /** As most gradients come, in the order of the parameters: a property is found ten times as fast. −1 for any other. */
  #collectInOrder(gradients: Gradients): number {
    const entries = this.#entries;
    let count = 0;
    let next = 0;
    this.#arrayCount = 0;
    for (const name in gradients) {
      while (next < entries.length && entries[next].name !== name) next += 1;
      if (next === entries.length) return -1;
      if (this.#take(entries[next], gradients[name], count)) count += 1;
      next += 1;
    }
    return count;
  }

  #collectByName(gradients: Gradients): number {
    let count = 0;
    let known = 0;
    this.#arrayCount = 0;
    for (let i = 0; i < this.#entries.length; i += 1) {
      const entry = this.#entries[i];
      const { name } = entry;
      if (this.#take(entry, gradients[name], count)) count += 1;
      if (name in gradients) known += 1;
    }
    let given = 0;
    for (const _ in gradients) given += 1;
    if (given !== known) {
      const unknown = Object.keys(gradients).filter((name) => !this.#byName.has(name));
      throw new GradstepError(
        `Got a gradient for ${list(unknown)}; the optimizer has ${list(this.parameters)}. Add parameters with optimizer.add().`,
        {
          code: "UNKNOWN_PARAMETER",
        },
      );
    }
    return count;
  }

  /** Checks a gradient and puts its update in this place. False where there is none. */
  #take(entry: Entry, gradient: Gradients[string], place: number): boolean {
    if (gradient === undefined || gradient === null) return false;
    const { name, update } = entry;
    checkGradient(name, gradient, update.parameter);
    this.#updates[place] = update;
    if (ArrayBuffer.isView(gradient)) {
      this.#unstaged[this.#arrayCount] = entry;
      this.#arrays[this.#arrayCount] = gradient;
      this.#arrayCount += 1;
    } else update.gradient = gradient;
    return true;
  }

  #stage(entry: Entry, values: Values): Tensor {
    if (entry.staging === undefined) this.#reserveGradients();
    entry.staging ??= this.#backend!.staging(entry.update.parameter.shape);
    entry.staging.stage(values);
    return entry.staging;
  }

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

  add(parameters: Parameters): void {
    this.#checkLive();
    const present = new Map(this.#entries.map(({ name, update }) => [name, update.parameter]));
    checkParameters(parameters, this.#backend, present);
    const named = Object.entries(parameters).map(([name, tensor]) => ({
      name,
      tensor,
      group: groupOf(name, this.#base, this.#groups),
    }));
    if (named.length === 0) return;
    const backend = this.#backend ?? named[0].tensor.backend;
    this.#kernel ??= backend.compile(this.#variant);
    this.#backend = backend;
    const allSlots = allocateSlots(backend, this.#variant, named);
    for (const [i, { name, tensor, group }] of named.entries()) {
      const update: Update = {
        parameter: tensor,
        gradient: tensor,
        slots: allSlots[i],
        scalars: group.scalars.values,
      };
      const entry: Entry = { name, group, update, staging: undefined, gradient: undefined };
      this.#entries.push(entry);
      this.#updates.push(update);
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
      groups: [this.#base, ...this.#groups].map((group) => ({
        parameters: [...group.parameters],
        hyperparameters: group === this.#base ? {} : group.own(),
        carry: group.scalars.carry,
      })),
    };
    const reads = this.#entries.map(({ name, update }) => ({
      name,
      values: update.slots.map((slot) => slot.read()),
    }));
    const slots: Record<string, Record<string, Values>> = {};
    for (const { name, values } of reads) {
      const arrays = await Promise.all(values);
      slots[name] = Object.fromEntries(slotList.map((slot, i) => [slot.name, arrays[i]]));
    }
    return { ...state, slots };
  }

  restore(state: OptimizerState): void {
    this.#checkLive();
    const groups = [this.#base, ...this.#groups];
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
      group.scalars.carry = state.groups[i].carry;
    });
    this.#iterations = state.iterations;
    for (const { name, update } of this.#entries) {
      this.#variant.slots.forEach((slot, i) => update.slots[i].write(state.slots[name][slot.name]));
    }
  }

  config(): OptimizerConfig {
    this.#checkLive();
    return {
      name: this.#spec.rule.name,
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

/** A property that reads and sets a hyperparameter of a group. */
function defineLive(target: object, name: string, group: Group): void {
  Object.defineProperty(target, name, {
    enumerable: true,
    get: () => group.get(name),
    set: (value: unknown) => {
      group.set(name, value);
    },
  });
}
