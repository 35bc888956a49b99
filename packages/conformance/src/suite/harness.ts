import {
  sizeOf,
  type GroupOptions,
  type Optimizer,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
  type Values,
  type WrappingBackend,
} from "@gradstep/core";
import { Checker } from "../checker/checker.js";
import { snapshot, type Snapshot } from "../checker/snapshot.js";
import { describeDifference, describeViolation } from "../checker/violation.js";
import { assert, assertSame, assertSameAll } from "./assertions.js";
import type { Context } from "./check.js";

/** What surrounds a wrapped tensor. */
const guardValue = 1234.5;
const guardLength = 5;

/** Caller-owned memory with a tensor in its middle and guard values around it. */
interface GuardedMemory {
  readonly memory: Float32Array;
  readonly size: number;
  readonly start: number;
}

/** The optimizer that is checked, and what it is checked with. */
interface HarnessParts {
  readonly isExact: boolean;
  /** The values of the parameters before the first step. */
  readonly initial: Readonly<Record<string, Float32Array>>;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly guarded: readonly GuardedMemory[];
  readonly optimizer: Optimizer<string>;
  readonly checker: Checker;
}

/**
 * Runs an optimizer on a fresh backend and checks each step: the values against their bounds, and that nothing else has
 * changed.
 *
 * If the backend wraps arrays, every other parameter lies in the middle of a caller-owned Float32Array whose other
 * values must not change.
 */
export class Harness {
  readonly optimizer: Optimizer<string>;
  readonly checker: Checker;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly #context: Context;
  readonly #guarded: readonly GuardedMemory[];
  readonly #rule: string;
  readonly #isExact: boolean;
  readonly #initial: Readonly<Record<string, Float32Array>>;
  #before: Record<string, Snapshot> | undefined;

  private constructor(context: Context, rule: string, parts: HarnessParts) {
    this.#context = context;
    this.#rule = rule;
    this.#isExact = parts.isExact;
    this.#initial = parts.initial;
    this.#guarded = parts.guarded;
    this.parameters = parts.parameters;
    this.optimizer = parts.optimizer;
    this.checker = parts.checker;
  }

  /** @param initial shapes and values of the parameters, by name */
  static async start(
    context: Context,
    spec: OptimizerSpec,
    initial: Readonly<Record<string, { shape: readonly number[]; values: Float32Array }>>,
    groups: readonly GroupOptions[] = [],
  ): Promise<Harness> {
    const { target } = context;
    const backend = await target.backend();
    const parameters: Record<string, Tensor> = {};
    const guarded: GuardedMemory[] = [];
    Object.entries(initial).forEach(([name, { shape, values }], i) => {
      if (!target.wrapsArrays || i % 2 === 1) {
        parameters[name] = backend.tensor(shape, values);
        return;
      }
      const size = sizeOf(shape);
      const start = guardLength + (i % 4);
      const memory = new Float32Array(start + size + guardLength).fill(guardValue);
      memory.set(values, start);
      guarded.push({ memory, size, start });
      parameters[name] = (backend as WrappingBackend<Float32Array>).wrap(memory, {
        shape,
        offset: start,
      });
    });
    const shapes = Object.fromEntries(
      Object.entries(initial).map(([name, { shape }]) => [name, shape]),
    );
    const values = Object.fromEntries(
      Object.entries(initial).map(([name, one]) => [name, one.values.slice()]),
    );
    const checker = new Checker({ spec, shapes, groups, model: target.model, values });
    const optimizer = target.create(spec, parameters, { groups });
    return new Harness(context, spec.rule.name, {
      isExact: backend.exact,
      initial: values,
      parameters,
      guarded,
      optimizer,
      checker,
    });
  }

  /**
   * Takes a step and checks it: every output is inside its bound, and nothing else has changed.
   *
   * @param asTensors names of gradients that are passed as tensors instead of arrays
   * @param options masks, with what happens to the rows that they leave out
   */
  async step(
    gradients: Readonly<Record<string, Float32Array>>,
    asTensors: readonly string[] = [],
    options?: StepOptions,
  ): Promise<void> {
    const { stats } = this.#context;
    const { parameters, optimizer, checker } = this;
    const before = this.#before ?? (await this.#first());
    const copies = Object.fromEntries(
      Object.entries(gradients).map(([name, values]) => [name, values.slice()]),
    );
    const tensors = asTensors
      .filter((name) => gradients[name] !== undefined)
      .map((name): [string, Tensor] => {
        const { backend, shape } = parameters[name];
        return [name, backend.tensor(shape, gradients[name])];
      });
    optimizer.step({ ...gradients, ...Object.fromEntries(tensors) }, options);
    const [after, metrics] = await Promise.all([
      snapshot(optimizer, parameters),
      optimizer.metrics(),
    ]);
    const differing = stats.differingBits;
    checker.step({ before, gradients: copies, after, stats, metrics, options });
    const { violation, difference } = checker;
    if (violation !== undefined) assert(false, describeViolation(violation));
    if (this.#isExact && difference !== undefined)
      assert(false, describeDifference(difference, stats.differingBits - differing));
    const step = `${this.#rule}, step ${optimizer.iterations}`;
    for (const [name, tensor] of tensors) {
      assertSame(await tensor.read(), copies[name], `${step}: gradient "${name}" was changed`);
      tensor.free();
    }
    for (const [name, values] of Object.entries(gradients))
      assertSame(values, copies[name], `${step}: gradient "${name}" was changed`);
    const unstepped = Object.keys(parameters).filter((name) => gradients[name] === undefined);
    for (const name of unstepped) {
      const expected: Record<string, Values> = { ...before[name] };
      for (const slot of checker.sharedSlots) delete expected[slot];
      assertSameAll(after, { [name]: expected }, `${step}, without gradient`);
    }
    this.#checkGuards(step);
    this.#before = after;
  }

  /** Changes the checked optimizer and the checker's own in the same way. */
  both(change: (optimizer: Optimizer<string>) => void): void {
    change(this.optimizer);
    change(this.checker.optimizer);
  }

  /**
   * Continues as if `t` steps had been taken.
   * @param slotValues values for slots of this length; they keep theirs if left out
   */
  async jump(t: number, slotValues?: (length: number) => Float32Array): Promise<void> {
    const state = await this.optimizer.state();
    const groups = state.groups.map((group) => ({ ...group, iterations: t }));
    const slots = Object.entries(state.slots).map(([name, values]) => [
      name,
      Object.fromEntries(
        Object.entries(values).map(([slot, array]) => [slot, slotValues?.(array.length) ?? array]),
      ),
    ]);
    const later = { ...state, iterations: t, groups, slots: Object.fromEntries(slots) };
    this.both((optimizer) => {
      optimizer.restore(later);
    });
  }

  /** The current values of all parameters and slots. */
  values(): Promise<Record<string, Snapshot>> {
    return snapshot(this.optimizer, this.parameters);
  }

  /** The values before the first step, which must be the given ones and the rule's first values of slots. */
  async #first(): Promise<Record<string, Snapshot>> {
    const first = await snapshot(this.optimizer, this.parameters);
    const { slots } = await this.checker.optimizer.state();
    for (const [name, values] of Object.entries(this.#initial)) {
      const expected = { [name]: { ...slots[name], p: values } };
      assertSameAll(first, expected, `${this.#rule}, before the first step`);
    }
    return first;
  }

  #checkGuards(step: string): void {
    for (const { memory, size, start } of this.#guarded) {
      const isUnchanged = memory.every(
        (value, i) => (i >= start && i < start + size) || value === guardValue,
      );
      assert(
        isUnchanged,
        `${step}: memory around a wrapped tensor of ${size} values was written to`,
      );
    }
  }
}
