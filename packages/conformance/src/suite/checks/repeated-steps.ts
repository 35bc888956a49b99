import {
  sgd,
  type Backend,
  type GroupOptions,
  type Optimizer,
  type OptimizerSpec,
  type RowValues,
  type Rule,
  type Tensor,
} from "@gradstep/core";
import { snapshot, type Snapshot } from "../../checker/snapshot.js";
import { assert, assertCode, assertSame, assertSameAll, inCase } from "../assertions.js";
import { Random } from "../random/random.js";
import { choiceCount, inRange, randomSettings } from "../random/random-settings.js";
import { elementwise, needsOf } from "../rule-needs.js";
import type { Check, Context } from "../check.js";
import { withRepeater } from "../with-repeater.js";
import { columns, eventsOf, sizeOfB, type Event } from "./repeated-step-events.js";

const group = "repeated steps";

/**
 * A backend may have a faster path for a step with the tensors of the last one. One optimizer receives the same tensors
 * again and again, another copies of their values: whatever happens in between, both must have the same values.
 */
export function repeatedStepChecks(rules: readonly Rule[]): readonly Check[] {
  const plain = elementwise(rules);
  const others = rules.filter((rule) => !plain.includes(rule));
  const needs = [...new Set(others.flatMap(needsOf))];
  const parts = [
    { some: plain, suffix: "", needs: [] },
    { some: others, suffix: ", rules with reductions or copies", needs },
  ].filter(({ some }) => some.length > 0);
  return [
    ...parts.flatMap(({ some, suffix, needs: own }): Check[] => [
      {
        group,
        name: `steps with the same tensors equal steps with copies of their values${suffix}`,
        needs: own,
        run: (context) => sequences(context, some, false),
      },
      {
        group,
        name: `the same between masked steps and moves of rows${suffix}`,
        needs: ["rows", ...own],
        run: (context) => sequences(context, some, true),
      },
    ]),
    {
      group,
      name: "a tensor can be the gradient of one parameter and then of another",
      run: async (context) => {
        const backend = withRepeater(await context.target.backend());
        const parameters = { a: backend.tensor([2]), b: backend.tensor([2]) };
        const optimizer = context.target.create(sgd({ learningRate: 1 }), parameters);
        const gradient = backend.tensor([2], [1, 2]);
        for (const name of ["a", "a", "b", "b", "b", "a"]) optimizer.step({ [name]: gradient });
        assertSame(await parameters.a.read(), [-3, -6], "sgd, step 6", 'p of "a"');
        assertSame(await parameters.b.read(), [-3, -6], "sgd, step 6", 'p of "b"');
      },
    },
  ];
}

async function sequences(
  context: Context,
  rules: readonly Rule[],
  hasRows: boolean,
): Promise<void> {
  for (let i = 0; i < Math.max(8, context.sequences / 16); i += 1) {
    const random = Random.of(context.seed, `repeated steps ${hasRows}`, i);
    const rule = rules[i % rules.length];
    const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
    const spec = rule.specify(settings);
    const events = eventsOf(random, hasRows);
    const learningRate = inRange(rule.hyperparameters.learningRate, 0.02);
    const groups = random.chance(0.5)
      ? [{ match: "b", learningRate, every: random.integer(1, 2) }]
      : [];
    try {
      const sequence = { spec, groups, events };
      const copies = await runEvents(context, sequence, false);
      const what = `${rule.name}, after ${events.length} events`;
      assertSameAll(await runEvents(context, sequence, true), copies, what);
    } catch (error) {
      const kinds = events.map(({ kind }) => kind).join(", ");
      throw inCase(
        error,
        `sequence ${i}, seed ${context.seed}, ${rule.name} ${JSON.stringify(settings)}, groups ${JSON.stringify(groups)}: ${kinds}`,
      );
    }
    context.stats.cases += 1;
  }
}

/** An optimizer, and what happens to it. */
interface EventSequence {
  readonly spec: OptimizerSpec;
  readonly groups: readonly GroupOptions[];
  readonly events: readonly Event[];
}

/** Runs the events, with gradients in the same tensors or in fresh arrays. */
async function runEvents(
  context: Context,
  { spec, groups, events }: EventSequence,
  inTensors: boolean,
): Promise<Record<string, Snapshot>> {
  const backend = withRepeater(await context.target.backend());
  const parameters = { a: backend.tensor([1, columns]), b: backend.tensor([sizeOfB]) };
  const optimizer = context.target.create(spec, parameters, { groups });
  const neighbor = { c: backend.tensor([7]) };
  const other = context.target.create(spec, neighbor);
  const gradients = new Gradients(backend, optimizer, inTensors);
  const ones = new Float32Array(7).fill(1);
  const onesOfOther = inTensors ? backend.tensor([7], ones) : ones;
  for (const event of events) {
    switch (event.kind) {
      case "step":
        optimizer.step(gradients.of(event.names));
        break;
      case "gradients":
        gradients.write(event.a, event.b);
        break;
      case "write":
        parameters.b.write(event.b);
        break;
      case "rate":
        optimizer.learningRate = inRange(spec.rule.hyperparameters.learningRate, event.value);
        break;
      case "mask":
        maskedStep(optimizer, gradients, event.mask);
        break;
      case "rows":
        optimizer.rows("a").remap(event.indices);
        gradients.resize(event.indices.length);
        break;
      case "other":
        other.step({ c: onesOfOther });
        break;
      case "swap":
        gradients.swap();
        break;
      case "refused":
        gradients.swap();
        await assertCode("LENGTH_MISMATCH", "a gradient of another length", () =>
          // Of `a`, which every step updates: a gradient of a group that is not due is not looked at.
          optimizer.step({ ...gradients.of(["b"]), a: new Float32Array(1) }),
        );
        break;
      case "replace":
        gradients.replace();
        break;
      case "allocate":
        backend.tensor([70_000]).free();
        break;
      case "restore":
        optimizer.restore(await optimizer.state());
        break;
    }
  }
  const { iterations } = optimizer;
  const steps = events.filter(({ kind }) => kind === "step" || kind === "mask").length;
  assert(iterations === steps, `${spec.rule.name}: iterations is ${iterations}; expected ${steps}`);
  const result = {
    ...(await snapshot(optimizer, parameters)),
    ...(await snapshot(other, neighbor)),
  };
  optimizer.dispose();
  other.dispose();
  return result;
}

function maskedStep(optimizer: Optimizer, gradients: Gradients, rows: RowValues): void {
  optimizer.step(gradients.of(["a", "b"]), { rows: { a: rows } });
}

/** Gradients in tensors, two of them for `a`, one at a time; or the same numbers in a new array each time. */
class Gradients {
  readonly #backend: Backend;
  readonly #optimizer: Optimizer;
  readonly #inTensors: boolean;
  /** The first gradient of `a` is in a caller-owned tensor, the second in the optimizer's own. */
  readonly #values: Record<"a" | "second" | "b", Float32Array> = {
    a: new Float32Array(columns),
    second: new Float32Array(columns),
    b: new Float32Array(sizeOfB),
  };
  #a: Tensor;
  #b: Tensor;
  #isSecond = false;

  constructor(backend: Backend, optimizer: Optimizer, inTensors: boolean) {
    this.#backend = backend;
    this.#optimizer = optimizer;
    this.#inTensors = inTensors;
    this.#a = backend.tensor([columns]);
    this.#b = backend.tensor([sizeOfB]);
  }

  of(names: readonly ("a" | "b")[]): Record<string, Tensor | Float32Array> {
    const { a, second, b } = this.#values;
    const gradients = this.#inTensors
      ? { a: this.#isSecond ? this.#optimizer.gradient("a") : this.#a, b: this.#b }
      : { a: (this.#isSecond ? second : a).slice(), b: b.slice() };
    return Object.fromEntries(names.map((name) => [name, gradients[name]]));
  }

  write(a: Float32Array, b: Float32Array): void {
    this.#values.a = a;
    this.#values.second = this.#values.a.map((value) => -0.5 * value);
    this.#values.b = b;
    this.#a.write(this.#values.a);
    this.#optimizer.gradient("a").write(this.#values.second);
    this.#b.write(b);
  }

  /** The other tensor of `a`, with other numbers. */
  swap(): void {
    this.#isSecond = !this.#isSecond;
  }

  /** Tensors in other memory, or in the same, with the same numbers. */
  replace(): void {
    this.#a.free();
    this.#b.free();
    this.#b = this.#backend.tensor([sizeOfB], this.#values.b);
    this.#a = this.#backend.tensor([this.#values.a.length], this.#values.a);
  }

  /** Zeros for this number of rows. Nothing is freed, so that only the remap tells the backend. */
  resize(rows: number): void {
    this.#values.a = new Float32Array(rows * columns);
    this.#values.second = this.#values.a;
    this.#a = this.#backend.tensor([rows * columns]);
    this.#optimizer.gradient("a").write(this.#values.a);
  }
}
