import type {
  GroupOptions,
  Optimizer,
  OptimizerSpec,
  StepOptions,
  Tensor,
  Values,
} from "@gradstep/core";
import { emptyStats } from "../../checker/check-stats.js";
import { Checker } from "../../checker/checker.js";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { describeDifference, describeViolation } from "../../checker/violation.js";
import { assert, assertSame, assertSameAll } from "../assertions.js";
import type { Context } from "../check.js";
import { movedRows } from "../moved-rows.js";
import { randomRemap } from "../random/random-remap.js";
import { randomGradient, sizeOfShape } from "../random/random-values.js";
import type { Random } from "../random/random.js";
import { checkCopy } from "./check-copy.js";
import { givenGradient, randomStored, type GivenGradient } from "./given-gradient.js";
import { LaidOutMemory } from "./laid-out-memory.js";
import { laidOutOptions } from "./laid-out-options.js";
import { partOf, requestsOf, type LaidOutParameters } from "./laid-out-parameter.js";

type ByName<T> = Readonly<Record<string, T>>;

/** Options of a step, and how they are given. */
export interface LaidOutStep extends Omit<StepOptions, "scale" | "skip"> {
  readonly scale?: number;
  /** Whether the scale is in memory of the backend. */
  readonly isScaleTensor?: boolean;
  /** Whether a word in memory of the backend says that the step is skipped; there is none if left out. */
  readonly isSkipped?: boolean;
}

/** The words that hold the scale of a step, and whether it is skipped. */
const scalePart = "scale of the step";
const skipPart = "skip of the step";

/**
 * Runs an optimizer whose tensors are fields in blocks of memory, and checks each step against plain arrays: values and
 * copies are inside their bounds, gradients are cleared if that is asked, and no other byte of the blocks has changed.
 */
export class LayoutHarness {
  readonly optimizer: Optimizer;
  readonly #context: Context;
  readonly #rule: string;
  /** With the shapes that the parameters have now. */
  #plan: LaidOutParameters;
  readonly #memory: LaidOutMemory;
  readonly #parameters: ByName<Tensor>;
  readonly #checker: Checker;
  /** Of slots whose elements all have the same, by parameter. */
  readonly #firstValues: ByName<ByName<number>>;

  private constructor(
    context: Context,
    rule: string,
    plan: LaidOutParameters,
    memory: LaidOutMemory,
    parameters: ByName<Tensor>,
    optimizer: Optimizer,
    checker: Checker,
    firstValues: ByName<ByName<number>>,
  ) {
    this.#context = context;
    this.#rule = rule;
    this.#plan = plan;
    this.#memory = memory;
    this.#parameters = parameters;
    this.optimizer = optimizer;
    this.#checker = checker;
    this.#firstValues = firstValues;
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
    const requests = new Map([
      ...requestsOf(plan),
      [scalePart, { dtype: "f32", shape: [1] }] as const,
      [skipPart, { dtype: "u32", shape: [1] }] as const,
    ]);
    const memory = new LaidOutMemory(backend, requests, random);
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
    const optimizer = target.create(spec, parameters, laidOutOptions(plan, groups, memory));
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
      await firstValuesOf(checker),
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
  async step(names: readonly string[], options: LaidOutStep, random: Random): Promise<void> {
    const before = await this.#values("before a step");
    const numbers = this.#randomNumbers(names, random);
    const { scale = 1, isSkipped, isScaleTensor, ...others } = options;
    this.#memory.write([
      ...names.map((name) => [partOf.gradient(name), numbers[name]] as const),
      [scalePart, [scale]],
      [skipPart, [isSkipped === true ? random.pick([1, 0xffff_ffff]) : 0]],
    ]);
    const arrays = Object.fromEntries(
      names.map((name) => [name, Float32Array.from(numbers[name])]),
    );
    this.optimizer.step(
      Object.fromEntries(
        names.map((name) => [name, this.#memory.tensor(partOf.gradient(name)) ?? arrays[name]]),
      ),
      {
        ...others,
        ...(scale === 1 ? {} : { scale: isScaleTensor ? this.#memory.tensor(scalePart)! : scale }),
        ...(isSkipped === undefined ? {} : { skip: this.#memory.tensor(skipPart)! }),
      },
    );
    const what = `${this.#rule}, step ${this.optimizer.iterations}`;
    const { clear = false, ...rest } = others;
    const changed = names.flatMap((name) => [
      partOf.parameter(name),
      ...this.#slotsOf(name),
      ...this.#copiesOf(name),
    ]);
    const cleared = names.map((name) => partOf.gradient(name));
    await this.#memory.update(what, [
      ...(isSkipped === true ? [] : changed),
      ...(clear ? cleared : []),
    ]);
    const after = await this.#values(what);
    const gradients = this.#given(numbers, scale, before);
    if (isSkipped === true) this.#checkSkipped(what, before, gradients, after, rest);
    else this.#checkValues(before, gradients, after, rest);
    this.#checkCopies(what, names, after);
    for (const name of names) {
      const part = partOf.gradient(name);
      const isField = this.#memory.tensor(part) !== undefined;
      const got = isField ? this.#memory.read(part) : arrays[name];
      const expected = clear ? new Float64Array(got.length) : Float64Array.from(numbers[name]);
      assertSame(got, expected, `${what}, ${clear ? "clear" : "without clear"}`, part);
    }
  }

  /** Moves the rows of all parameters, and checks them. */
  async remap(capacity: number, random: Random): Promise<void> {
    const names = Object.keys(this.#plan);
    const before = await this.#values("before a remap");
    const count = this.#plan[names[0]].shape[0];
    const { kind, indices, resetRows } = randomRemap(count, capacity, random);
    const options = resetRows === undefined ? {} : { resetRows };
    this.optimizer.rows().remap(indices, options);
    this.#checker.optimizer.rows().remap(indices, options);
    const what = `${this.#rule}, ${kind} of ${count} rows to ${indices.length}`;
    const parts = names.flatMap((name) => [
      partOf.parameter(name),
      ...this.#slotsOf(name),
      ...this.#copiesOf(name),
    ]);
    // Rows that are no more can hold anything.
    this.#memory.resize(parts, Math.max(count, indices.length), false);
    await this.#memory.update(what, parts);
    this.#memory.resize(parts, indices.length, false);
    this.#memory.resize(names.map(partOf.gradient), indices.length, true);
    this.#plan = Object.fromEntries(
      Object.entries(this.#plan).map(([name, one]) => [
        name,
        { ...one, shape: [indices.length, ...one.shape.slice(1)] },
      ]),
    );
    const after = await this.#values(what);
    for (const [name, values] of Object.entries(before))
      for (const [output, array] of Object.entries(values)) {
        const expected = movedRows(array, array.length / count, indices, {
          initial: output === "p" ? 0 : this.#firstValues[name][output],
          isReset: (row) => output !== "p" && (resetRows?.[row] ?? 0) !== 0,
        });
        assertSame(after[name][output], expected, what, `${output} of "${name}"`);
      }
    this.#checkCopies(what, names, after);
  }

  /** The number of rows of a parameter. */
  rowsOf(name: string): number {
    return this.#plan[name].shape[0];
  }

  #randomNumbers(names: readonly string[], random: Random): ByName<ArrayLike<number>> {
    return Object.fromEntries(
      names.map((name) => {
        const length = sizeOfShape(this.#plan[name].shape);
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

  #given(
    numbers: ByName<ArrayLike<number>>,
    scale: number,
    before: ByName<Snapshot>,
  ): ByName<GivenGradient> {
    return Object.fromEntries(
      Object.entries(numbers).map(([name, one]) => {
        const { shape, gradientActivation } = this.#plan[name];
        return [
          name,
          givenGradient(
            one,
            this.#memory.field(partOf.gradient(name)),
            scale,
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

  /** A step that is skipped changes nothing, and is counted. */
  #checkSkipped(
    what: string,
    before: ByName<Snapshot>,
    gradients: ByName<GivenGradient>,
    after: ByName<Snapshot>,
    options: StepOptions,
  ): void {
    const values = Object.fromEntries(
      Object.entries(gradients).map(([name, one]) => [name, one.values]),
    );
    // Counted by the checker's optimizer, too. What it finds has no meaning.
    this.#checker.step(before, values, after, emptyStats(), { options });
    assertSameAll(after, before, `${what}, skipped`);
  }

  /** Every copy of these parameters holds their activated values, in all rows. */
  #checkCopies(what: string, names: readonly string[], values: ByName<Snapshot>): void {
    const { stats, target } = this.#context;
    for (const name of names)
      this.#plan[name].copies.forEach((copy, k) => {
        const part = partOf.copy(name, k);
        const parameter = { shape: this.#plan[name].shape, values: values[name].p };
        checkCopy(
          `${what}: ${part}`,
          copy,
          this.#memory.read(part),
          parameter,
          target.model,
          stats,
        );
      });
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

async function firstValuesOf({ optimizer }: Checker): Promise<ByName<ByName<number>>> {
  const { slots } = await optimizer.state();
  return Object.fromEntries(
    Object.entries(slots).map(([name, values]) => [
      name,
      Object.fromEntries(Object.entries(values).map(([slot, [first]]) => [slot, first])),
    ]),
  );
}
