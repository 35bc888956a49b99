import type {
  GroupOptions,
  Optimizer,
  OptimizerSpec,
  StepOptions,
  Tensor,
  Values,
} from "@gradstep/core";
import { activationBounds } from "../../bounds/activation-bounds.js";
import { errorOverBound, stored } from "../../bounds/bounds.js";
import { certainInput, isAnything } from "../../bounds/interval.js";
import { float16Bound } from "../../bounds/stored-value-bounds.js";
import { Checker } from "../../checker/checker.js";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { describeDifference, describeViolation, text } from "../../checker/violation.js";
import { assert, assertSame } from "../assertions.js";
import type { Context } from "../check.js";
import { randomGradient } from "../random/random-values.js";
import type { Random } from "../random/random.js";
import { givenGradient, randomStored, rowsOf, type GivenGradient } from "./given-gradient.js";
import { LaidOutMemory } from "./laid-out-memory.js";
import {
  checkedActivation,
  partOf,
  requestsOf,
  type LaidOutParameters,
} from "./laid-out-parameter.js";

type ByName<T> = Readonly<Record<string, T>>;

/**
 * Runs an optimizer whose tensors are fields in blocks of memory, and checks each step against plain arrays: values and
 * copies are inside their bounds, gradients are cleared if that is asked, and no other byte of the blocks has changed.
 */
export class LayoutHarness {
  readonly optimizer: Optimizer;
  readonly #context: Context;
  readonly #rule: string;
  readonly #plan: LaidOutParameters;
  readonly #memory: LaidOutMemory;
  readonly #parameters: ByName<Tensor>;
  readonly #checker: Checker;

  private constructor(
    context: Context,
    rule: string,
    plan: LaidOutParameters,
    memory: LaidOutMemory,
    parameters: ByName<Tensor>,
    optimizer: Optimizer,
    checker: Checker,
  ) {
    this.#context = context;
    this.#rule = rule;
    this.#plan = plan;
    this.#memory = memory;
    this.#parameters = parameters;
    this.optimizer = optimizer;
    this.#checker = checker;
  }

  /** Places everything at random in memory of a fresh backend. */
  static async start(
    context: Context,
    spec: OptimizerSpec,
    plan: LaidOutParameters,
    groups: readonly GroupOptions[],
    random: Random,
  ): Promise<LayoutHarness> {
    const { target } = context;
    const backend = await target.backend();
    const memory = new LaidOutMemory(backend, requestsOf(plan), random);
    const names = Object.keys(plan);
    const byName = <T>(make: (name: string) => T): Record<string, T> =>
      Object.fromEntries(names.map((name) => [name, make(name)]));
    memory.write(
      names.flatMap((name) => [
        [partOf.parameter(name), plan[name].values] as const,
        ...Object.entries(plan[name].slots).map(
          ([slot, { values }]) => [partOf.slot(name, slot), values] as const,
        ),
      ]),
    );
    const parameters = byName(
      (name) =>
        memory.tensor(partOf.parameter(name)) ??
        backend.tensor(plan[name].shape, plan[name].values),
    );
    const activated = names.filter((name) => plan[name].gradientActivation !== undefined);
    const optimizer = target.create(spec, parameters, {
      groups,
      slots: byName((name) =>
        Object.fromEntries(
          Object.keys(plan[name].slots).map((slot) => [
            slot,
            memory.tensor(partOf.slot(name, slot))!,
          ]),
        ),
      ),
      copies: byName((name) =>
        plan[name].copies.map(({ activation }, k) => ({
          to: memory.tensor(partOf.copy(name, k))!,
          as: activation,
        })),
      ),
      activatedGradients: Object.fromEntries(
        activated.map((name) => [name, plan[name].gradientActivation!]),
      ),
    });
    const checker = new Checker(
      spec,
      byName((name) => plan[name].shape),
      groups,
      target.model,
      byName((name) => plan[name].values),
    );
    const harness = new LayoutHarness(
      context,
      spec.rule.name,
      plan,
      memory,
      parameters,
      optimizer,
      checker,
    );
    await harness.#checkFilled("createOptimizer");
    return harness;
  }

  /** Overwrites all copies, fills them again, and checks them. */
  async fillCopies(): Promise<void> {
    const copies = Object.keys(this.#plan).flatMap((name) => this.#copiesOf(name));
    this.#memory.write(copies.map((part) => [part, this.#memory.read(part).fill(0.5)]));
    this.optimizer.fillCopies();
    await this.#checkFilled("fillCopies");
  }

  /** Copies hold activated values. Nothing else has changed. */
  async #checkFilled(after: string): Promise<void> {
    const what = `${this.#rule}, ${after}`;
    const names = Object.keys(this.#plan);
    await this.#memory.update(
      what,
      names.flatMap((name) => this.#copiesOf(name)),
    );
    this.#checkCopies(what, names, await this.#values(what));
  }

  /** Gives all slots their first values, before the first step, and checks them. */
  async reset(): Promise<void> {
    this.optimizer.reset();
    const what = `${this.#rule}, reset`;
    const names = Object.keys(this.#plan);
    await this.#memory.update(
      what,
      names.flatMap((name) => this.#slotsOf(name)),
    );
    const values = await this.#values(what);
    const { slots } = await this.#checker.optimizer.state();
    for (const [name, expected] of Object.entries(slots))
      for (const [slot, first] of Object.entries(expected))
        assertSame(values[name][slot], first, what, `${slot} of "${name}"`);
  }

  /** Takes a step with random gradients of these parameters, and checks it. */
  async step(names: readonly string[], options: StepOptions, random: Random): Promise<void> {
    const before = await this.#values("before a step");
    const numbers = this.#randomNumbers(names, random);
    this.#memory.write(names.map((name) => [partOf.gradient(name), numbers[name]]));
    const arrays = Object.fromEntries(
      names.map((name) => [name, Float32Array.from(numbers[name])]),
    );
    this.optimizer.step(
      Object.fromEntries(
        names.map((name) => [name, this.#memory.tensor(partOf.gradient(name)) ?? arrays[name]]),
      ),
      options,
    );
    const what = `${this.#rule}, step ${this.optimizer.iterations}`;
    const { clear = false, ...masks } = options;
    await this.#memory.update(
      what,
      names.flatMap((name) => [
        partOf.parameter(name),
        ...this.#slotsOf(name),
        ...this.#copiesOf(name),
        ...(clear ? [partOf.gradient(name)] : []),
      ]),
    );
    const after = await this.#values(what);
    this.#checkValues(before, this.#given(numbers, before), after, masks);
    this.#checkCopies(what, names, after);
    for (const name of names) {
      const part = partOf.gradient(name);
      const isField = this.#memory.tensor(part) !== undefined;
      const got = isField ? this.#memory.read(part) : arrays[name];
      const expected = clear ? new Float64Array(got.length) : Float64Array.from(numbers[name]);
      assertSame(got, expected, `${what}, ${clear ? "clear" : "without clear"}`, part);
    }
  }

  #randomNumbers(names: readonly string[], random: Random): ByName<ArrayLike<number>> {
    return Object.fromEntries(
      names.map((name) => {
        const { length } = this.#plan[name].values;
        const field = this.#memory.field(partOf.gradient(name));
        return [
          name,
          field === undefined
            ? randomGradient(length, random)
            : randomStored(field, length, random),
        ];
      }),
    );
  }

  #given(numbers: ByName<ArrayLike<number>>, before: ByName<Snapshot>): ByName<GivenGradient> {
    return Object.fromEntries(
      Object.entries(numbers).map(([name, one]) => {
        const { shape, gradientActivation } = this.#plan[name];
        return [
          name,
          givenGradient(
            one,
            this.#memory.field(partOf.gradient(name)),
            gradientActivation,
            { shape, values: before[name].p },
            this.#context.target.model,
          ),
        ];
      }),
    );
  }

  #checkValues(
    before: ByName<Snapshot>,
    gradients: ByName<GivenGradient>,
    after: ByName<Snapshot>,
    options: StepOptions,
  ): void {
    const { stats } = this.#context;
    const checker = this.#checker;
    const differing = stats.differingBits;
    const each = <T>(of: (gradient: GivenGradient) => T): Record<string, T> =>
      Object.fromEntries(Object.entries(gradients).map(([name, one]) => [name, of(one)]));
    checker.step(
      before,
      each(({ values }) => values),
      after,
      stats,
      { options, gradientBounds: each(({ bound }) => bound) },
    );
    const { violation, difference } = checker;
    if (violation !== undefined) assert(false, describeViolation(violation));
    const [{ backend }] = Object.values(this.#parameters);
    if (backend.exact && difference !== undefined)
      assert(false, describeDifference(difference, stats.differingBits - differing));
  }

  /** Every copy of these parameters holds their activated values, in all rows. */
  #checkCopies(what: string, names: readonly string[], values: ByName<Snapshot>): void {
    const { stats, target } = this.#context;
    const { model } = target;
    for (const name of names) {
      const { shape, copies } = this.#plan[name];
      const rows = rowsOf(values[name].p, shape).map((row) =>
        row.map((x) => certainInput(x, model)),
      );
      copies.forEach(({ dtype, activation }, k) => {
        const checked = checkedActivation(activation);
        const got = this.#memory.read(partOf.copy(name, k));
        const results = rows.flatMap((row) => activationBounds(checked, row, model));
        results.forEach((result, i) => {
          const bound = dtype === "f16" ? float16Bound(result, model) : stored(result, model);
          stats.elements += 1;
          if (isAnything(bound)) {
            stats.unbounded += 1;
            return;
          }
          const ratio = errorOverBound(got[i], bound);
          if (ratio > stats.worstErrorOverBound) stats.worstErrorOverBound = ratio;
          const { low, exact, high } = bound;
          assert(
            ratio <= 1,
            `${what}: ${partOf.copy(name, k)}[${i}] (${checked.kind} of ${values[name].p[i]}, ${dtype}) is ${text(got[i])}; ` +
              `expected ${text(exact)}, between ${text(low)} and ${text(high)} (error/bound ${ratio.toPrecision(4)})`,
          );
        });
      });
    }
  }

  /** Parameters and slots, from the blocks where they are fields. What their tensors give must be the same. */
  async #values(what: string): Promise<Record<string, Snapshot>> {
    const read = await snapshot(this.optimizer, this.#parameters);
    return Object.fromEntries(
      Object.entries(read).map(([name, values]) => [
        name,
        Object.fromEntries(
          Object.entries(values).map(([output, array]): [string, Values] => {
            const part = output === "p" ? partOf.parameter(name) : partOf.slot(name, output);
            if (this.#memory.field(part) === undefined) return [output, array];
            const numbers = Float32Array.from(this.#memory.read(part));
            assertSame(array, numbers, `${what}, read`, part);
            return [output, numbers];
          }),
        ),
      ]),
    );
  }

  #slotsOf(name: string): readonly string[] {
    return Object.keys(this.#plan[name].slots).map((slot) => partOf.slot(name, slot));
  }

  #copiesOf(name: string): readonly string[] {
    return this.#plan[name].copies.map((_, k) => partOf.copy(name, k));
  }
}
