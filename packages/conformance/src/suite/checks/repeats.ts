import {
  sgd,
  type Backend,
  type Optimizer,
  type OptimizerSpec,
  type RowValues,
  type Tensor,
} from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { snapshot, type Snapshot } from "../../judge.js";
import { assert, assertCode, assertSame, assertSameAll } from "../assert.js";
import { Random } from "../random.js";
import { choiceCount, randomSettings } from "../settings.js";
import type { Check, Context } from "../subject.js";
import { inCase } from "./bounds.js";
import { columns, eventsOf, sizeOfB, type Event } from "./repeat-events.js";

/**
 * A step that is given the same tensors as the one before is what a backend may take a shortcut for. One optimizer is
 * given the same tensors again and again, another copies of their values: whatever happens in between, both get the
 * same.
 */
export const repeatChecks: readonly Check[] = [
  {
    group: "repeats",
    name: "steps with the same tensors are steps with copies of their values",
    run: async (context) => {
      for (let i = 0; i < Math.max(8, context.sequences / 8); i += 1) {
        const random = Random.of(context.seed, "repeats", i);
        const rule = rules[i % rules.length];
        const settings = randomSettings(rule, random.integer(0, choiceCount(rule) - 1), random);
        const spec = rule.specify(settings);
        const events = eventsOf(random);
        try {
          const copies = await live(context, spec, events, false);
          assertSameAll(await live(context, spec, events, true), copies, "at the end");
        } catch (error) {
          const kinds = events.map(({ kind }) => kind).join(", ");
          throw inCase(error, `sequence ${i}, ${rule.name} ${JSON.stringify(settings)}: ${kinds}`);
        }
        context.tally.cases += 1;
      }
    },
  },
  {
    group: "repeats",
    name: "the same tensor is taken for another parameter's gradient",
    run: async (context) => {
      const backend = await context.subject.backend();
      const parameters = { a: backend.tensor([2]), b: backend.tensor([2]) };
      const optimizer = context.subject.create(sgd({ learningRate: 1 }), parameters);
      const gradient = backend.tensor([2], [1, 2]);
      for (const name of ["a", "a", "b", "b", "b", "a"]) optimizer.step({ [name]: gradient });
      assertSame(await parameters.a.read(), [-3, -6], "after three steps of its own");
      assertSame(await parameters.b.read(), [-3, -6], "after three steps of its own");
    },
  },
  {
    group: "repeats",
    name: "a gradient or a parameter that was freed is refused, and nothing has changed",
    run: async (context) => {
      for (const freed of ["gradient", "parameter"]) {
        const [rule] = rules;
        const backend = await context.subject.backend();
        const parameters = { a: backend.tensor([4]), b: backend.tensor([4]) };
        const optimizer = context.subject.create(rule.specify({}), parameters);
        const gradients = { a: backend.tensor([4], [1, 2, 3, 4]), b: backend.tensor([4]) };
        for (let i = 0; i < 3; i += 1) optimizer.step(gradients);
        const before = await parameters.a.read();
        (freed === "gradient" ? gradients : parameters).b.free();
        await assertCode("DISPOSED", `a ${freed} that was freed`, () => optimizer.step(gradients));
        assert(optimizer.iterations === 3, `a refused step counts: ${optimizer.iterations} of 3`);
        assertSameAll({ a: { p: await parameters.a.read() } }, { a: { p: before } }, "the refused");
      }
    },
  },
];

/** Goes through the events, with gradients in tensors that stay or in fresh arrays. */
async function live(
  context: Context,
  spec: OptimizerSpec,
  events: readonly Event[],
  inTensors: boolean,
): Promise<Record<string, Snapshot>> {
  const backend = await context.subject.backend();
  const parameters = { a: backend.tensor([1, columns]), b: backend.tensor([sizeOfB]) };
  const optimizer = context.subject.create(spec, parameters);
  const neighbor = { c: backend.tensor([7]) };
  const other = context.subject.create(spec, neighbor);
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
        optimizer.learningRate = event.value;
        break;
      case "mask":
        step(backend, optimizer, gradients, event.mask);
        break;
      case "rows":
        if (backend.remap === undefined) gradients.resize(1);
        else {
          optimizer.rows("a").remap(event.indices);
          gradients.resize(event.indices.length);
        }
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
          optimizer.step({ ...gradients.of(["a"]), b: new Float32Array(sizeOfB + 1) }),
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
  assert(iterations === steps, `${iterations} steps are counted; expected ${steps}`);
  const result = {
    ...(await snapshot(optimizer, parameters)),
    ...(await snapshot(other, neighbor)),
  };
  optimizer.dispose();
  other.dispose();
  return result;
}

function step(backend: Backend, optimizer: Optimizer, gradients: Gradients, rows: RowValues): void {
  const all = gradients.of(["a", "b"]);
  if (backend.remap === undefined) optimizer.step(all);
  else optimizer.step(all, { rows: { a: rows } });
}

/** Gradients in tensors, of which `a` has two that take turns; or the same numbers in a new array each time. */
class Gradients {
  readonly #backend: Backend;
  readonly #optimizer: Optimizer;
  readonly #inTensors: boolean;
  /** The first of `a` is in a tensor of the caller's, the second in the optimizer's own. */
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
    const { length } = this.#values.a;
    // A backend without rows has one row of them throughout.
    this.#values.a = a.slice(0, length);
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

  /** Zeros for so many rows. Nothing is freed, so that the backend hears of the remap alone. */
  resize(rows: number): void {
    this.#values.a = new Float32Array(rows * columns);
    this.#values.second = this.#values.a;
    this.#a = this.#backend.tensor([rows * columns]);
    this.#optimizer.gradient("a").write(this.#values.a);
  }
}
