import type { Optimizer, StepOptions } from "@gradstep/core";
import { emptyStats } from "../../checker/check-stats.js";
import { Checker } from "../../checker/checker.js";
import type { Snapshot } from "../../checker/snapshot.js";
import { describeDifference, describeViolation } from "../../checker/violation.js";
import { assert, assertSame, assertSameAll } from "../assertions.js";
import type { Context } from "../check.js";
import { movedRows } from "../moved-rows.js";
import { randomRemap } from "../random/random-remap.js";
import type { Random } from "../random/random.js";
import { checkCopy } from "./check-copy.js";
import type { GivenGradient } from "./given-gradient.js";
import { LaidOutOptimizer, type LaidOutCase } from "./laid-out-optimizer.js";
import { partOf } from "./laid-out-parameter.js";
import { scalePart, signalFields, skipPart, type LaidOutStep } from "./laid-out-step.js";
import { mapValues } from "./map-values.js";
import { givenGradients, randomNumbers } from "./step-gradients.js";

type ByName<T> = Readonly<Record<string, T>>;

/** What a step was given, and the values before and after it. */
interface GivenStep {
  readonly before: ByName<Snapshot>;
  readonly gradients: ByName<GivenGradient>;
  readonly after: ByName<Snapshot>;
  readonly options: StepOptions;
}

/** A laid-out optimizer, and what its steps are checked with. */
interface HarnessParts {
  readonly laidOut: LaidOutOptimizer;
  readonly checker: Checker;
  readonly firstValues: ByName<ByName<number>>;
  readonly isExact: boolean;
}

/**
 * Runs an optimizer whose tensors are fields in blocks of memory, and checks each step against plain arrays: values and
 * copies are inside their bounds, gradients are cleared if that is asked, and no other byte of the blocks has changed.
 */
export class LayoutHarness {
  readonly optimizer: Optimizer;
  readonly #context: Context;
  readonly #rule: string;
  readonly #laidOut: LaidOutOptimizer;
  readonly #checker: Checker;
  /** Of slots whose elements all have the same, by parameter. */
  readonly #firstValues: ByName<ByName<number>>;
  readonly #isExact: boolean;

  private constructor(context: Context, rule: string, parts: HarnessParts) {
    this.#context = context;
    this.#rule = rule;
    this.#laidOut = parts.laidOut;
    this.optimizer = parts.laidOut.optimizer;
    this.#checker = parts.checker;
    this.#firstValues = parts.firstValues;
    this.#isExact = parts.isExact;
  }

  /** Places everything at random in memory of a fresh backend. */
  static async start(
    context: Context,
    { spec, parameters, groups, random }: Omit<LaidOutCase, "others">,
  ): Promise<LayoutHarness> {
    const { target } = context;
    const backend = await target.backend();
    const laidOut = new LaidOutOptimizer(backend, target.create, {
      spec,
      parameters,
      groups,
      others: signalFields,
      random,
    });
    const checker = new Checker({
      spec,
      shapes: mapValues(parameters, ({ shape }) => shape),
      groups,
      model: target.model,
      values: mapValues(parameters, ({ values }) => values),
    });
    const harness = new LayoutHarness(context, spec.rule.name, {
      laidOut,
      checker,
      firstValues: mapValues((await checker.optimizer.state()).slots, (values) =>
        mapValues(values, ([first]) => first),
      ),
      isExact: backend.exact,
    });
    await harness.#checkFilled("createOptimizer");
    return harness;
  }

  /** Overwrites all copies, fills them again, and checks them. */
  async fillCopies(): Promise<void> {
    const { memory, names } = this.#laidOut;
    const copies = this.#laidOut.copiesOf(names);
    memory.write(copies.map((part) => [part, memory.read(part).fill(0.5)]));
    this.optimizer.fillCopies();
    await this.#checkFilled("fillCopies");
  }

  /** Copies hold activated values. Nothing else has changed. */
  async #checkFilled(after: string): Promise<void> {
    const what = `${this.#rule}, ${after}`;
    const { memory, names } = this.#laidOut;
    await memory.update(what, this.#laidOut.copiesOf(names));
    this.#checkCopies(what, names, await this.#laidOut.values(what));
  }

  /** Gives all slots their first values, before the first step, and checks them. */
  async reset(): Promise<void> {
    this.optimizer.reset();
    const what = `${this.#rule}, reset`;
    const { memory, names } = this.#laidOut;
    await memory.update(what, this.#laidOut.slotsOf(names));
    const values = await this.#laidOut.values(what);
    const { slots } = await this.#checker.optimizer.state();
    for (const [name, expected] of Object.entries(slots))
      for (const [slot, first] of Object.entries(expected))
        assertSame(values[name][slot], first, what, `${slot} of "${name}"`);
  }

  /** Takes a step with random gradients of these parameters, and checks it. */
  async step(names: readonly string[], options: LaidOutStep, random: Random): Promise<void> {
    const { memory } = this.#laidOut;
    const before = await this.#laidOut.values("before a step");
    const numbers = randomNumbers(this.#laidOut, names, random);
    const { scale = 1, isSkipped, isScaleTensor, ...others } = options;
    memory.write([
      ...names.map((name) => [partOf.gradient(name), numbers[name]] as const),
      [scalePart, [scale]],
      [skipPart, [isSkipped === true ? random.pick([1, 0xffff_ffff]) : 0]],
    ]);
    const arrays = Object.fromEntries(
      names.map((name) => [name, Float32Array.from(numbers[name])]),
    );
    this.optimizer.step(
      Object.fromEntries(
        names.map((name) => [name, memory.tensor(partOf.gradient(name)) ?? arrays[name]]),
      ),
      {
        ...others,
        ...(scale === 1 ? {} : { scale: isScaleTensor ? memory.tensor(scalePart)! : scale }),
        ...(isSkipped === undefined ? {} : { skip: memory.tensor(skipPart)! }),
      },
    );
    const what = `${this.#rule}, step ${this.optimizer.iterations}`;
    const { clear = false, ...rest } = others;
    await memory.update(what, [
      ...(isSkipped === true ? [] : this.#laidOut.changedParts(names)),
      ...(clear ? names.map(partOf.gradient) : []),
    ]);
    const after = await this.#laidOut.values(what);
    const gradients = givenGradients(
      { laidOut: this.#laidOut, before, model: this.#context.target.model },
      numbers,
      scale,
    );
    const step = { before, gradients, after, options: rest };
    if (isSkipped === true) this.#checkSkipped(what, step);
    else this.#checkValues(step);
    this.#checkCopies(what, names, after);
    for (const name of names) {
      const part = partOf.gradient(name);
      const isField = memory.tensor(part) !== undefined;
      const got = isField ? memory.read(part) : arrays[name];
      const expected = clear ? new Float64Array(got.length) : Float64Array.from(numbers[name]);
      assertSame(got, expected, `${what}, ${clear ? "clear" : "without clear"}`, part);
    }
  }

  /** Moves the rows of all parameters, and checks them. */
  async remap(capacity: number, random: Random): Promise<void> {
    const { memory, names } = this.#laidOut;
    const before = await this.#laidOut.values("before a remap");
    const count = this.rowsOf(names[0]);
    const { kind, indices, resetRows } = randomRemap(count, capacity, random);
    const options = resetRows === undefined ? {} : { resetRows };
    this.optimizer.rows().remap(indices, options);
    this.#checker.optimizer.rows().remap(indices, options);
    const what = `${this.#rule}, ${kind} of ${count} rows to ${indices.length}`;
    const parts = this.#laidOut.changedParts(names);
    // Rows that were removed can hold anything.
    memory.resize(parts, Math.max(count, indices.length), false);
    await memory.update(what, parts);
    memory.resize(parts, indices.length, false);
    memory.resize(names.map(partOf.gradient), indices.length, true);
    this.#laidOut.setRows(indices.length);
    const after = await this.#laidOut.values(what);
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
    return this.#laidOut.parameters[name].shape[0];
  }

  #checkValues({ gradients, ...step }: GivenStep): void {
    const { stats } = this.#context;
    const checker = this.#checker;
    const differing = stats.differingBits;
    checker.step({
      ...step,
      stats,
      gradients: mapValues(gradients, ({ values }) => values),
      gradientBounds: mapValues(gradients, ({ bound }) => bound),
    });
    const { violation, difference } = checker;
    if (violation !== undefined) assert(false, describeViolation(violation));
    if (this.#isExact && difference !== undefined)
      assert(false, describeDifference(difference, stats.differingBits - differing));
  }

  /** A step that is skipped changes nothing, and is counted. */
  #checkSkipped(what: string, { gradients, ...step }: GivenStep): void {
    // Counted by the checker's optimizer, too. What it finds has no meaning.
    this.#checker.step({
      ...step,
      stats: emptyStats(),
      gradients: mapValues(gradients, ({ values }) => values),
    });
    assertSameAll(step.after, step.before, `${what}, skipped`);
  }

  /** Every copy of these parameters holds their activated values, in all rows. */
  #checkCopies(what: string, names: readonly string[], values: ByName<Snapshot>): void {
    const { stats, target } = this.#context;
    for (const name of names)
      this.#laidOut.parameters[name].copies.forEach((copy, k) => {
        const part = partOf.copy(name, k);
        const parameter = { shape: this.#laidOut.parameters[name].shape, values: values[name].p };
        const got = this.#laidOut.memory.read(part);
        checkCopy(`${what}: ${part}`, { copy, got, parameter }, target.model, stats);
      });
  }
}
