import type {
  GroupOptions,
  Optimizer,
  OptimizerSpec,
  Tensor,
  WrappingBackend,
} from "@gradstep/core";
import { describeViolation, Judge, snapshot, type Snapshot } from "../judge.js";
import { assert, assertSame, assertSameAll } from "./assert.js";
import type { Context } from "./subject.js";
import { sizeOfShape } from "./values.js";

const canary = 1234.5;
const margin = 5;

/** Memory of the caller, with the tensor's values in its middle. */
interface Fenced {
  readonly memory: Float32Array;
  readonly size: number;
  readonly start: number;
}

/**
 * Parameters of a fresh backend under an optimizer, and the judge who looks at each step: all in one place, because
 * every check of numbers goes this way.
 *
 * Where the backend can, every other parameter lies in the middle of a Float32Array of the caller, and whatever lies
 * beside it must stay as it is.
 */
export class Trial {
  readonly optimizer: Optimizer;
  readonly judge: Judge;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly #context: Context;
  readonly #fences: readonly Fenced[];
  readonly #isExact: boolean;
  readonly #initial: Readonly<Record<string, Float32Array>>;
  #before: Record<string, Snapshot> | undefined;

  private constructor(
    context: Context,
    isExact: boolean,
    initial: Readonly<Record<string, Float32Array>>,
    parameters: Readonly<Record<string, Tensor>>,
    fences: readonly Fenced[],
    optimizer: Optimizer,
    judge: Judge,
  ) {
    this.#context = context;
    this.#isExact = isExact;
    this.#initial = initial;
    this.#fences = fences;
    this.parameters = parameters;
    this.optimizer = optimizer;
    this.judge = judge;
  }

  /** @param shapes of the parameters, by name, and `initial` their values. */
  static async start(
    context: Context,
    spec: OptimizerSpec,
    initial: Readonly<Record<string, { shape: readonly number[]; values: Float32Array }>>,
    groups: readonly GroupOptions[] = [],
  ): Promise<Trial> {
    const { subject } = context;
    const backend = await subject.backend();
    const parameters: Record<string, Tensor> = {};
    const fences: Fenced[] = [];
    Object.entries(initial).forEach(([name, { shape, values }], i) => {
      if (!subject.wrapsArrays || i % 2 === 1) {
        parameters[name] = backend.tensor(shape, values);
        return;
      }
      const size = sizeOfShape(shape);
      const start = margin + (i % 4);
      const memory = new Float32Array(start + size + margin).fill(canary);
      memory.set(values, start);
      fences.push({ memory, size, start });
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
    const judge = new Judge(spec, shapes, groups, subject.model);
    const optimizer = subject.create(spec, parameters, { groups });
    return new Trial(context, backend.exact, values, parameters, fences, optimizer, judge);
  }

  /** Takes a step and judges it: every output inside its bound, and everything else untouched. */
  async step(
    gradients: Readonly<Record<string, Float32Array>>,
    asTensors: readonly string[] = [],
  ): Promise<void> {
    const { tally } = this.#context;
    const { parameters, optimizer, judge } = this;
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
    optimizer.step({ ...gradients, ...Object.fromEntries(tensors) });
    const after = await snapshot(optimizer, parameters);
    const differing = tally.differingBits;
    judge.step(before, copies, after, tally);
    if (judge.violation !== undefined) assert(false, describeViolation(judge.violation));
    assert(
      !this.#isExact || tally.differingBits === differing,
      `${tally.differingBits - differing} values differ from the f32 reference; expected none of an exact backend`,
    );
    for (const [name, tensor] of tensors) {
      assertSame(
        await tensor.read(),
        copies[name],
        `gradient ${name}, which is not to be written to`,
      );
      tensor.free();
    }
    for (const [name, values] of Object.entries(gradients))
      assertSame(values, copies[name], `gradient ${name}, which is not to be written to`);
    const silent = Object.keys(parameters).filter((name) => gradients[name] === undefined);
    for (const name of silent)
      assertSameAll({ [name]: after[name] }, { [name]: before[name] }, "no gradient was given");
    this.#checkFences();
    this.#before = after;
  }

  /** Applies the same to the judged optimizer and to the judge's. */
  both(change: (optimizer: Optimizer) => void): void {
    change(this.optimizer);
    change(this.judge.optimizer);
  }

  /** Goes on as if `t` steps had been taken. */
  async jump(t: number): Promise<void> {
    for (const optimizer of [this.optimizer, this.judge.optimizer])
      optimizer.restore({ ...(await optimizer.state()), iterations: t });
  }

  /** The present values of all parameters and slots. */
  values(): Promise<Record<string, Snapshot>> {
    return snapshot(this.optimizer, this.parameters);
  }

  /** The values before the first step, which are not taken from the backend on trust. */
  async #first(): Promise<Record<string, Snapshot>> {
    const first = await snapshot(this.optimizer, this.parameters);
    const { slots } = await this.judge.optimizer.state();
    for (const [name, values] of Object.entries(this.#initial)) {
      const expected = { [name]: { ...slots[name], p: values } };
      assertSameAll(first, expected, "before the first step");
    }
    return first;
  }

  #checkFences(): void {
    for (const { memory, size, start } of this.#fences) {
      const isUntouched = memory.every(
        (value, i) => (i >= start && i < start + size) || value === canary,
      );
      assert(isUntouched, `memory beside a wrapped tensor of ${size} values was written to`);
    }
  }
}
