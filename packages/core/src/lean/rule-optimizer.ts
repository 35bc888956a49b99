import type { Kernel, Tensor, Update, Values } from "../backend/backend.js";
import { GradstepError, show, type ErrorCode } from "../errors.js";
import type { Gradients } from "../optimizer/gradients.js";
import { defineLive } from "../optimizer/parameter-group.js";
import { overlaps, type Parameters } from "../optimizer/parameters.js";
import type { OptimizerState } from "../optimizer/state.js";
import { checkHyperparameter } from "../rule/hyperparameter.js";
import type { LeanBackend, LeanTensor } from "./backend.js";
import type { LeanSpec } from "./rule.js";

interface Entry {
  readonly update: Update;
  /** What `gradient` gives, and where typed arrays enter: made at once, so that no step makes memory grow under one. */
  gradient?: Tensor;
}

function fail(code: ErrorCode, message: string): never {
  throw new GradstepError(message, { code });
}

/** What `createOptimizer` makes: one group, whole tensors. */
export class RuleOptimizer {
  readonly #spec: LeanSpec;
  readonly #hyperparameters: Record<string, number>;
  readonly #entries = new Map<string, Entry>();
  readonly #backend: LeanBackend;
  readonly #kernel: Kernel;
  /** The scalars of a step, then the carry that it hands on, which is also `#handed`. */
  readonly #values: Float64Array;
  readonly #handed: Float64Array;
  readonly #carry: Float64Array;
  // Those of the present step, in front.
  readonly #taken: Entry[] = [];
  readonly #given: (Values | Tensor)[] = [];
  readonly #updates: Update[] = [];
  #iterations = 0;
  #disposed = false;

  constructor(spec: LeanSpec, parameters: Parameters<LeanTensor>) {
    if (spec?.variant === undefined)
      fail("INVALID_RULE", `Got ${show(spec)} as the rule; expected what adam() gives.`);
    const { rule, variant, hyperparameters } = spec;
    this.#spec = spec;
    this.#hyperparameters = { ...hyperparameters };
    this.#carry = Float64Array.from(Object.values(variant.carry));
    this.#values = new Float64Array(variant.scalars.length + this.#carry.length);
    const named = Object.entries(parameters ?? {});
    const backend = named[0]?.[1]?.backend;
    if (backend?.isLean !== true)
      fail(
        "INVALID_PARAMETER",
        `Got ${show(parameters)} as parameters; expected tensors of createWasm() by name.`,
      );
    named.forEach(([name, tensor], i) => {
      const isValid =
        tensor?.backend === backend &&
        !tensor.freed &&
        tensor.layout === undefined &&
        !(name in Object.prototype);
      if (!isValid)
        fail(
          "INVALID_PARAMETER",
          `Parameter "${name}" is ${show(tensor)}; expected a live f32 tensor of the others' backend.`,
        );
      const other = named.slice(0, i).find(([, one]) => overlaps(one.memory, tensor.memory));
      if (other !== undefined)
        fail("OVERLAPPING_MEMORY", `Parameters "${other[0]}" and "${name}" share memory.`);
    });
    this.#backend = backend;
    this.#kernel = backend.compile(variant);
    this.#handed = this.#values.subarray(variant.scalars.length);
    const scalars = this.#values.subarray(0, variant.scalars.length);
    try {
      for (const [name, parameter] of named) {
        const slots: Tensor[] = [];
        const update: Update = {
          parameter,
          copy: undefined,
          gradient: parameter,
          mask: undefined,
          others: "keep",
          slots,
          scalars,
        };
        const entry: Entry = { update };
        this.#entries.set(name, entry);
        variant.slots.forEach(({ initial }, i) => {
          const first = typeof initial === "number" ? initial : hyperparameters[initial];
          const { shape, size } = parameter;
          slots.push(backend.tensor(shape, new Float32Array(size).fill(first), 2 + i));
        });
        entry.gradient = backend.tensor(parameter.shape, undefined, 1);
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
    const live = {
      get: (name: string) => this.#hyperparameters[name],
      set: (name: string, value: unknown) => {
        this.#hyperparameters[name] = this.#checked(name, value);
      },
    };
    defineLive(this, live, Object.keys(rule.hyperparameters));
    Object.seal(this);
  }

  get iterations(): number {
    return this.#iterations;
  }

  get parameters(): readonly string[] {
    return [...this.#entries.keys()];
  }

  step(gradients: Gradients): void {
    this.#checkLive();
    let count = 0;
    for (const name in gradients) {
      const gradient = gradients[name];
      const entry = this.#find(name);
      if (gradient === undefined || gradient === null) continue;
      this.#check(name, gradient, entry.update.parameter);
      this.#taken[count] = entry;
      this.#given[count] = gradient;
      count += 1;
    }
    if (count === 0)
      fail("INVALID_GRADIENT", `Got ${show(gradients)}; expected gradients by name.`);
    for (let i = 0; i < count; i += 1) {
      const { update, gradient: own } = this.#taken[i];
      const gradient = this.#given[i];
      if (ArrayBuffer.isView(gradient)) own!.write(gradient);
      update.gradient = ArrayBuffer.isView(gradient) ? own! : gradient;
      this.#updates[i] = update;
    }
    this.#spec.variant.perStep(
      this.#hyperparameters,
      this.#iterations + 1,
      this.#values,
      this.#carry,
    );
    this.#kernel.run(this.#updates, count);
    this.#carry.set(this.#handed);
    this.#iterations += 1;
  }

  #check(name: string, gradient: Values | Tensor, parameter: Tensor): void {
    if (parameter.freed) fail("DISPOSED", `Parameter "${name}" was freed.`);
    const isArray = ArrayBuffer.isView(gradient);
    const isValid = isArray
      ? gradient[Symbol.toStringTag] === "Float32Array"
      : gradient.backend === this.#backend && !gradient.freed && gradient.memory.byteLength > 0;
    if (!isValid)
      fail(
        "INVALID_GRADIENT",
        `Gradient "${name}" is ${show(gradient)}; expected a Float32Array or a live tensor of the same backend.`,
      );
    const size = isArray ? gradient.length : gradient.size;
    if (size !== parameter.size)
      fail("LENGTH_MISMATCH", `Gradient "${name}" has ${size} values; expected ${parameter.size}.`);
    if (overlaps(isArray ? gradient : gradient.memory, parameter.memory))
      fail("OVERLAPPING_MEMORY", `Gradient "${name}" shares memory with its parameter.`);
  }

  #find(name: string): Entry {
    return (
      this.#entries.get(name) ??
      fail("UNKNOWN_PARAMETER", `Got "${name}"; the parameters are ${show(this.parameters)}.`)
    );
  }

  gradient(name: string): Tensor {
    this.#checkLive();
    return this.#find(name).gradient!;
  }

  async state(): Promise<OptimizerState> {
    this.#checkLive();
    const { rule, options, variant } = this.#spec;
    const { slots, carry } = variant;
    const state = {
      version: 1 as const,
      rule: rule.name,
      options,
      hyperparameters: { ...this.#hyperparameters },
      iterations: this.#iterations,
      groups: [
        {
          parameters: this.parameters,
          iterations: this.#iterations,
          hyperparameters: {},
          carry: Object.fromEntries(Object.keys(carry).map((name, i) => [name, this.#carry[i]])),
        },
      ],
    };
    const reads = [...this.#entries].map(async ([name, { update }]) => {
      const arrays = await Promise.all(update.slots.map((slot) => slot.read()));
      return [name, Object.fromEntries(slots.map((slot, i) => [slot.name, arrays[i]]))] as const;
    });
    return { ...state, slots: Object.fromEntries(await Promise.all(reads)) };
  }

  restore(state: OptimizerState): void {
    this.#checkLive();
    const { rule, options, variant } = this.#spec;
    const { slots, carry } = variant;
    const names = Object.keys(options);
    let isOwn = false;
    try {
      isOwn =
        state.version === 1 &&
        state.rule === rule.name &&
        Object.keys(state.options).length === names.length &&
        names.every((name) => state.options[name] === options[name]) &&
        state.groups.length === 1 &&
        Object.keys(carry).every((name) => Number.isFinite(state.groups[0].carry[name])) &&
        Number.isSafeInteger(state.iterations) &&
        state.iterations >= 0 &&
        Object.keys(state.slots).length === this.#entries.size &&
        [...this.#entries].every(([name, { update }]) =>
          slots.every((slot) => {
            const values = state.slots[name][slot.name];
            const isArray = values[Symbol.toStringTag].startsWith("Float");
            return isArray && values.length === update.parameter.size;
          }),
        );
    } catch {
      // Something that it should have is missing.
    }
    if (!isOwn)
      fail(
        "STATE_MISMATCH",
        `The state does not belong to this optimizer; expected one of ${rule.name} with the same options and slots of ${show(this.parameters)}.`,
      );
    const hyperparameters: Record<string, number> = {};
    for (const name in rule.hyperparameters)
      hyperparameters[name] = this.#checked(name, state.hyperparameters?.[name]);
    Object.assign(this.#hyperparameters, hyperparameters);
    this.#iterations = state.iterations;
    Object.keys(carry).forEach((name, i) => (this.#carry[i] = state.groups[0].carry[name]));
    for (const [name, { update }] of this.#entries)
      slots.forEach((slot, i) => update.slots[i].write(state.slots[name][slot.name]));
  }

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  #checked(name: string, value: unknown): number {
    const { rule, hyperparameters } = this.#spec;
    const checked = checkHyperparameter(rule.name, name, value, rule.hyperparameters[name]);
    if (checked !== 0 && rule.switches.includes(name) && hyperparameters[name] === 0)
      fail(
        "INVALID_HYPERPARAMETER",
        `${name} is ${checked}; expected 0: the optimizer was made with ${name} 0.`,
      );
    return checked;
  }

  dispose(): void {
    this.#disposed = true;
    for (const { update, gradient } of this.#entries.values())
      for (const tensor of [...update.slots, gradient]) tensor?.free();
  }

  #checkLive(): void {
    if (this.#disposed) fail("DISPOSED", "The optimizer was disposed; make a new one.");
  }
}
