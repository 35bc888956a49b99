import type { Backend, Kernel, StagingTensor, Tensor, Update, Values } from "./backend.js";
import { GradstepError, list, show } from "./errors.js";
import {
  Group,
  groupOf,
  type GroupContext,
  type GroupOptions,
  type ParameterGroup,
} from "./groups.js";
import { checkParameters, overlaps, type Parameters } from "./parameters.js";
import type { OptimizerSpec } from "./spec.js";
import { checkState, type OptimizerState } from "./state.js";
import type { Variant } from "./variant.js";

/** Gradients by the names of their parameters; a parameter whose gradient is missing is left as it is. */
export type Gradients = Readonly<Record<string, Values | Tensor | null | undefined>>;

/** What `optimizerByName` takes to make the same optimizer again. */
export interface OptimizerConfig {
  readonly name: string;
  /** Hyperparameters and options. */
  readonly settings: Readonly<Record<string, number | boolean | string>>;
  /** Groups, with the names of their parameters in `match`. */
  readonly groups: readonly GroupOptions[];
}

/** A rule at work on some parameters. Made by `createOptimizer`. */
export interface OptimizerMethods<H extends string> {
  /** Steps taken so far. */
  readonly iterations: number;
  /** The groups that were given, in that order, with live hyperparameters. */
  readonly groups: readonly ParameterGroup<H>[];
  /** The names of all parameters. */
  readonly parameters: readonly string[];
  /**
   * Takes one step: each parameter with a gradient, and its slots, are updated in place. Returns at once on every
   * backend; `tensor.read()` waits for what was called before it. A step that throws has changed nothing.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_GRADIENT` (among others where no gradient is given),
   * `LENGTH_MISMATCH`, `OVERLAPPING_MEMORY`, `DISPOSED`
   */
  step(gradients: Gradients): void;
  /**
   * Adds parameters, with fresh slots. They share the step number with the others.
   * @throws {GradstepError} as `createOptimizer` does for parameters
   */
  add(parameters: Parameters): void;
  /** Everything the next step depends on beside the parameters' values, as a copy. */
  state(): Promise<OptimizerState>;
  /**
   * Goes on from a state: N steps, `state`, `restore` into a new optimizer and N more steps give the bits of 2N steps.
   * @throws {GradstepError} `STATE_MISMATCH`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`; then nothing has changed
   */
  restore(state: OptimizerState): void;
  /** What makes an optimizer like this one, as plain data. */
  config(): OptimizerConfig;
  /** Frees the slots. Parameters are the caller's and stay. A second call does nothing. */
  dispose(): void;
}

/** An optimizer, with each of its rule's hyperparameters as a property that can be read and set between steps. */
export type Optimizer<H extends string = string> = OptimizerMethods<H> & Record<H, number>;

/** Options of `createOptimizer`. */
export interface OptimizerOptions<H extends string = string> {
  /**
   * Hyperparameters for some of the parameters. A parameter may match one group at most; those that match none have the
   * optimizer's own. A group that matches nothing is an error, unless there are no parameters yet.
   */
  readonly groups?: readonly GroupOptions<H>[];
}

/**
 * Makes an optimizer for parameters of one backend.
 *
 * @param spec what `adam({ … })`, `optimizerByName(…)` or `fromKeras(…)` gave.
 * @param parameters tensors by name; `backend` is needed in `options` only if there are none yet.
 * @throws {GradstepError} `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNKNOWN_PARAMETER` (a group without parameters),
 * `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `DISPOSED`
 */
export function createOptimizer<H extends string>(
  spec: OptimizerSpec<H>,
  parameters: Parameters,
  options: OptimizerOptions<NoInfer<H>> = {},
): Optimizer<H> {
  if (spec?.rule?.variant === undefined) {
    throw new GradstepError(
      `Got ${show(spec)} as the rule; expected what a rule gives when called, such as adam() or adam({ learningRate: 0.01 }).`,
      {
        code: "INVALID_RULE",
      },
    );
  }
  for (const key of Object.keys(options)) {
    if (key !== "groups")
      throw new GradstepError(`createOptimizer has no option "${key}"; it has groups.`, {
        code: "UNKNOWN_OPTION",
      });
  }
  const optimizer = new RuleOptimizer(spec, parameters, [
    ...spec.groups,
    ...(options.groups ?? []),
  ]);
  return optimizer as unknown as Optimizer<H>;
}

/** One parameter of an optimizer. */
interface Entry {
  readonly name: string;
  readonly group: Group;
  readonly update: Update;
  /** Where typed arrays enter; made when the first one comes. */
  staging: StagingTensor | undefined;
}

class RuleOptimizer implements OptimizerMethods<string> {
  readonly groups: readonly ParameterGroup[];
  readonly #spec: OptimizerSpec;
  readonly #variant: Variant;
  readonly #base: Group;
  readonly #groups: readonly Group[];
  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  /** The updates of the present step, in front; as long as the entries. */
  readonly #updates: Update[] = [];
  readonly #found: Entry[] = [];
  #backend: Backend | undefined;
  #kernel: Kernel | undefined;
  #iterations = 0;
  #disposed = false;

  constructor(spec: OptimizerSpec, parameters: Parameters, groups: readonly GroupOptions[]) {
    const { rule } = spec;
    const isOn = (name: string): boolean =>
      [spec.hyperparameters, ...groups].some(
        (values) => ((values as Record<string, unknown>)[name] ?? 0) !== 0,
      );
    const on = rule.switches.filter(isOn);
    this.#spec = spec;
    this.#variant = rule.variant({
      ...spec.options,
      ...Object.fromEntries(on.map((name) => [name, true])),
    });
    const context: GroupContext = {
      rule,
      variant: this.#variant,
      off: rule.switches.filter((name) => !on.includes(name)),
    };
    this.#base = new Group(context, rule.name, spec.hyperparameters);
    this.#groups = groups.map(
      ({ match, ...own }, i) =>
        new Group(context, `${rule.name}, group ${i}`, own, match, this.#base),
    );
    this.add(parameters);
    const empty = this.#groups.findIndex((group) => group.parameters.length === 0);
    if (this.#entries.length > 0 && empty >= 0) {
      this.dispose();
      throw new GradstepError(
        `Group ${empty} matches ${show(groups[empty].match)}, which no parameter does; there are ${list(this.parameters)}.`,
        {
          code: "UNKNOWN_PARAMETER",
        },
      );
    }
    for (const name of Object.keys(rule.hyperparameters)) defineLive(this, name, this.#base);
    this.groups = this.#groups.map((group) => {
      const facade = { parameters: group.parameters };
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
    this.#checkLive();
    const count = this.#collect(gradients);
    for (let i = 0; i < count; i += 1) {
      const entry = this.#found[i];
      const gradient = gradients[entry.name]!;
      entry.update.gradient = ArrayBuffer.isView(gradient)
        ? this.#stage(entry, gradient)
        : gradient;
      this.#updates[i] = entry.update;
    }
    const t = this.#iterations + 1;
    this.#base.scalars.compute(t);
    for (let i = 0; i < this.#groups.length; i += 1) this.#groups[i].scalars.compute(t);
    this.#kernel!.run(this.#updates, count);
    this.#base.scalars.commit();
    for (let i = 0; i < this.#groups.length; i += 1) this.#groups[i].scalars.commit();
    this.#iterations = t;
  }

  /** Checks all gradients and puts the entries that have one in front of `#found`; returns their number. */
  #collect(gradients: Gradients): number {
    if (gradients === null || typeof gradients !== "object") {
      throw new GradstepError(
        `Got ${show(gradients)} as gradients; expected arrays or tensors by parameter name.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    let count = 0;
    let known = 0;
    for (let i = 0; i < this.#entries.length; i += 1) {
      const entry = this.#entries[i];
      const gradient = gradients[entry.name];
      if (gradient === undefined || gradient === null) {
        if (entry.name in gradients) known += 1;
        continue;
      }
      this.#checkGradient(entry, gradient);
      this.#found[count] = entry;
      count += 1;
      known += 1;
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
    if (count === 0) {
      throw new GradstepError(
        `Got no gradient for any of ${list(this.parameters)}; expected at least one.`,
        { code: "INVALID_GRADIENT" },
      );
    }
    return count;
  }

  #checkGradient(entry: Entry, gradient: Values | Tensor): void {
    const { parameter } = entry.update;
    const backend = this.#backend!;
    if (ArrayBuffer.isView(gradient)) {
      const kind = gradient[Symbol.toStringTag];
      if (kind !== "Float32Array" && !(kind === "Float64Array" && backend.precision === "f64"))
        throw this.#badGradient(entry, gradient);
      if (gradient.length !== parameter.size)
        throw mismatch(entry.name, gradient.length, parameter);
      if (gradient.buffer === parameter.memory.buffer && overlaps(gradient, parameter.memory))
        throw sharedWithParameter(entry.name);
      return;
    }
    if (typeof gradient !== "object" || gradient.backend !== backend)
      throw this.#badGradient(entry, gradient);
    if (gradient.freed)
      throw new GradstepError(`Gradient "${entry.name}" was freed; expected a live tensor.`, {
        code: "DISPOSED",
      });
    if (gradient.size !== parameter.size) throw mismatch(entry.name, gradient.size, parameter);
    if (overlaps(gradient.memory, parameter.memory)) throw sharedWithParameter(entry.name);
  }

  #badGradient({ name }: Entry, gradient: unknown): GradstepError {
    const { name: backend, precision } = this.#backend!;
    const array = precision === "f64" ? "Float64Array" : "Float32Array";
    return new GradstepError(
      `Gradient "${name}" is ${show(gradient)}; expected a ${array} or a tensor of the same ${backend} backend. Convert it with new ${array}(values).`,
      { code: "INVALID_GRADIENT" },
    );
  }

  #stage(entry: Entry, values: Values): Tensor {
    entry.staging ??= this.#backend!.staging(entry.update.parameter.shape);
    entry.staging.stage(values);
    return entry.staging;
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
    for (const { name, tensor, group } of named) {
      const slots = this.#variant.slots.map(({ initial }) => {
        const first = typeof initial === "number" ? initial : group.get(initial);
        return first === 0
          ? backend.tensor(tensor.shape)
          : backend.tensor(tensor.shape, new Float64Array(tensor.size).fill(first));
      });
      const update: Update = {
        parameter: tensor,
        gradient: tensor,
        slots,
        scalars: group.scalars.values,
      };
      const entry: Entry = { name, group, update, staging: undefined };
      this.#entries.push(entry);
      this.#updates.push(update);
      this.#found.push(entry);
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
    for (const { update, staging } of this.#entries) {
      for (const slot of update.slots) slot.free();
      staging?.free();
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

function mismatch(name: string, length: number, { size, shape }: Tensor): GradstepError {
  return new GradstepError(
    `Gradient "${name}" has ${length} values; expected ${size} (shape [${shape.join(", ")}]).`,
    { code: "LENGTH_MISMATCH" },
  );
}

function sharedWithParameter(name: string): GradstepError {
  return new GradstepError(
    `Gradient "${name}" shares memory with its parameter; expected memory of its own. Pass a copy.`,
    {
      code: "OVERLAPPING_MEMORY",
    },
  );
}
