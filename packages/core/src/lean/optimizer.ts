import type { Backend, Kernel, Tensor, Update, Values } from "../backend/backend.js";
import { GradstepError, show, type ErrorCode } from "../errors.js";
import type { Gradients } from "../optimizer/gradients.js";
import { overlaps, type Parameters } from "../optimizer/parameters.js";
import type { OptimizerState } from "../optimizer/state.js";
import { checkHyperparameter } from "../rule/hyperparameter.js";
import type { Variant } from "../rule/variant.js";
import type { LeanSpec, LeanVariant } from "./rule.js";

/** An optimizer of one group, whose hyperparameters can be set between steps. Made by `createOptimizer`. */
export type LeanOptimizer<H extends string = string, T extends LeanTensor = LeanTensor> = Record<
  H,
  number
> & {
  /** Steps taken so far. */
  readonly iterations: number;
  /** The names of all parameters. */
  readonly parameters: readonly string[];
  /**
   * Takes one step. One that throws has changed nothing.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_GRADIENT`, `LENGTH_MISMATCH`, `OVERLAPPING_MEMORY`, `DISPOSED`
   */
  step(gradients: Gradients): void;
  /**
   * A tensor for a parameter's gradient: to write into, and to give to `step`. A typed array that `step` is given is
   * written into it, too.
   *
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, `OUT_OF_MEMORY`
   */
  gradient(name: string): T;
  /** All that the next step depends on, as the optimizer of `@gradstep/core` has it. */
  state(): Promise<OptimizerState>;
  /** Goes on from a state, which may be one of `@gradstep/core`. @throws {GradstepError} `STATE_MISMATCH` */
  restore(state: OptimizerState): void;
  /** Frees the slots and gradients. */
  dispose(): void;
};

/** A backend that has the kernels of these rules. */
export interface LeanBackend extends Backend {
  readonly isLean: true;
  /** @throws {GradstepError} `UNSUPPORTED` */
  compile(variant: LeanVariant | Variant): Kernel;
}

/** A tensor of such a backend. */
export interface LeanTensor extends Tensor {
  readonly backend: LeanBackend;
}

interface Entry {
  readonly update: Update;
  /** What `gradient` gives, and where typed arrays enter. */
  gradient?: Tensor;
}

function fail(code: ErrorCode, message: string): never {
  throw new GradstepError(message, { code });
}

/**
 * An optimizer for bundles in which each kilobyte counts: one group, whole tensors. Groups are several optimizers;
 * rows and encoders take `createOptimizer` of `@gradstep/core`.
 *
 * @param parameters tensors by name, of one backend that has the rule's kernels, such as `createWasm(adamKernels())`.
 * @throws {GradstepError} `INVALID_RULE`, `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNSUPPORTED` (no kernel),
 * `OUT_OF_MEMORY`
 */
export function createOptimizer<H extends string, T extends LeanTensor = LeanTensor>(
  spec: LeanSpec<H>,
  parameters: Parameters<T>,
): LeanOptimizer<H, T> {
  return new RuleOptimizer(spec, parameters) as unknown as LeanOptimizer<H, T>;
}

class RuleOptimizer {
  readonly #spec: LeanSpec;
  readonly #variant: LeanVariant;
  readonly #hyperparameters: Record<string, number>;
  readonly #entries = new Map<string, Entry>();
  readonly #backend: LeanBackend;
  readonly #kernel: Kernel;
  /** The scalars of a step, then the carry that it hands on, which is also `#handed`. */
  readonly #values: Float64Array;
  readonly #handed: Float64Array;
  readonly #carry: Float64Array;
  /** Those of the present step, in front. */
  readonly #taken: Entry[] = [];
  readonly #updates: Update[] = [];
  #iterations = 0;
  #disposed = false;

  constructor(spec: LeanSpec, parameters: Parameters<LeanTensor>) {
    if (spec?.variant === undefined)
      fail(
        "INVALID_RULE",
        `Got ${show(spec)} as the rule; expected what adam() gives, of this module.`,
      );
    const { rule, variant, hyperparameters } = spec;
    this.#spec = spec;
    this.#variant = variant;
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
        this.#entries.set(name, { update });
        variant.slots.forEach(({ initial }, i) => {
          const first = typeof initial === "number" ? initial : hyperparameters[initial];
          const { shape, size } = parameter;
          slots.push(backend.tensor(shape, new Float32Array(size).fill(first), 2 + i));
        });
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
    for (const name in rule.hyperparameters) {
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => this.#hyperparameters[name],
        set: (value: unknown) => {
          this.#hyperparameters[name] = this.#checked(name, value);
        },
      });
    }
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
      // Before the check: room for it may make memory grow, which detaches views of it.
      if (ArrayBuffer.isView(gradient)) this.gradient(name);
      this.#check(name, gradient, entry.update.parameter);
      this.#taken[count] = entry;
      this.#updates[count] = entry.update;
      count += 1;
    }
    if (count === 0)
      fail("INVALID_GRADIENT", `Got ${show(gradients)}; expected gradients by name.`);
    count = 0;
    for (const name in gradients) {
      const gradient = gradients[name];
      if (gradient === undefined || gradient === null) continue;
      const { update, gradient: own } = this.#taken[count];
      if (ArrayBuffer.isView(gradient)) own!.write(gradient);
      update.gradient = ArrayBuffer.isView(gradient) ? own! : gradient;
      count += 1;
    }
    this.#variant.perStep(this.#hyperparameters, this.#iterations + 1, this.#values, this.#carry);
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
    const entry = this.#find(name);
    return (entry.gradient ??= this.#backend.tensor(entry.update.parameter.shape, undefined, 1));
  }

  async state(): Promise<OptimizerState> {
    this.#checkLive();
    const { rule, options } = this.#spec;
    const { slots, carry } = this.#variant;
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
    const { rule, options } = this.#spec;
    const { slots, carry } = this.#variant;
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
