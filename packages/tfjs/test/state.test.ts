import { deserialize, serialize } from "node:v8";
import {
  adam as adamRule,
  adamw as adamwRule,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  ema,
  rmsprop as rmspropRule,
  type OptimizerState,
} from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  adam,
  adamw,
  GradstepOptimizer,
  nadam,
  sgd,
  tfOptimizer,
  tfParameters,
  type TfOptimizerState,
  type TfParameter,
} from "../src/index.js";
import { backends, codeOf, fit, layers, numbers, tf, variable, weightsOf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

/** What a file keeps. */
const copyOf = <T>(value: T): T => deserialize(serialize(value)) as T;

type Saved = { state: TfOptimizerState; parameters: Record<string, Float32Array | Float64Array> };

async function save(
  optimizer: GradstepOptimizer,
  parameters: Readonly<Record<string, TfParameter>>,
): Promise<Saved> {
  const names = Object.keys(parameters);
  const [state, ...values] = await Promise.all([
    optimizer.state(),
    ...names.map((name) => parameters[name].read()),
  ]);
  return copyOf({
    state,
    parameters: Object.fromEntries(names.map((name, i) => [name, values[i]])),
  });
}

function restore(
  { state, parameters }: Saved,
  optimizer: GradstepOptimizer,
  targets: Readonly<Record<string, TfParameter>>,
): void {
  expect(Object.keys(targets).sort()).toEqual(Object.keys(parameters).sort());
  optimizer.restore(state);
  for (const [name, values] of Object.entries(parameters)) targets[name].write(values);
}

/** With layers that TF.js names, a named one, and averages that no gradient changes. */
function network(seed: number): layers.Sequential {
  const { dense, batchNormalization } = layers.layers;
  const kernelInitializer = layers.initializers.glorotUniform({ seed });
  return layers.sequential({
    layers: [
      dense({ units: 5, inputShape: [8], activation: "tanh", kernelInitializer }),
      batchNormalization({ momentum: 0.5 }),
      dense({ units: 4, activation: "tanh", kernelInitializer }),
      dense({ name: `out`, units: 3, activation: "softmax", kernelInitializer }),
    ],
  });
}

const data = (): { x: tf.Tensor; y: tf.Tensor } => ({
  x: tf.tensor(numbers(16 * 8, 3), [16, 8]),
  y: tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 16 }, (_, i) => i % 3),
      "int32",
    ),
    3,
  ),
});

const compile = (model: layers.LayersModel, optimizer: tf.Optimizer): void =>
  model.compile({ optimizer, loss: "categoricalCrossentropy" });

const makers: [string, () => GradstepOptimizer][] = [
  ["adam", () => adam({ learningRate: 0.02 })],
  ["sgd without slots", () => sgd({ learningRate: 0.1 })],
  ["nadam, which keeps a scalar", () => nadam({ learningRate: 0.01 })],
  [
    "groups with a rule of their own and another frequency",
    () =>
      adamw(
        { learningRate: 0.02 },
        {
          groups: [
            { match: /bias/, rule: rmspropRule({ momentum: 0.5 }) },
            { match: /gamma|beta/, every: 3 },
          ],
        },
      ),
  ],
  [
    "stages, a schedule and accumulated gradients",
    () =>
      tfOptimizer(
        chain(clipByGlobalNorm(0.1), adamwRule({ learningRate: cosineDecay(0.1, 20) }), ema(0.9)),
        { accumulate: 3, lossScale: "dynamic" },
      ),
  ],
];

describe.each(backends)("state and restore, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test.each(sampled(makers, 2))(
    "N steps, a new optimizer and N steps are 2N steps, bit for bit: %s",
    async (_, make) => {
      const whole = network(1);
      compile(whole, make());
      await fit(whole, data(), 2);
      await fit(whole, data(), 2);

      const first = network(1);
      const optimizer = make();
      compile(first, optimizer);
      await fit(first, data(), 2);
      const saved = await save(optimizer, tfParameters(first));
      first.dispose();
      // Other initial values and other numbers in the names, as in another process.
      const second = network(2);
      const resumed = make();
      compile(second, resumed);
      restore(saved, resumed, tfParameters(second));
      expect(resumed.iterations).toBe(optimizer.iterations);
      await fit(second, data(), 2);
      expect(weightsOf(second)).toEqual(weightsOf(whole));
      expect(copyOf(await resumed.state()).slots).not.toEqual({});
    },
  );
});

const gradients = (seed: number): Record<string, tf.Tensor> => ({
  a: tf.tensor(numbers(4, seed), [2, 2]),
  b: tf.tensor(numbers(3, seed + 1)),
});
const variables = (): tf.Variable[] => [
  variable([1, -2, 3, -4], [2, 2], "a"),
  variable([1, 2, 3], [3], "b"),
];
const valuesOf = (list: readonly tf.Variable[]): number[][] =>
  list.map((one) => Array.from(one.dataSync()));

describe("a state", () => {
  test("is core's: an optimizer of core continues from it, and gives one back", async () => {
    const list = variables();
    const optimizer = adam({ learningRate: 0.1 });
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients(gradients(i));
    const state = copyOf(await optimizer.state());
    expect(state.shapes).toEqual({ a: [2, 2], b: [3] });
    expect(state.groups[0].parameters).toEqual(["a", "b"]);

    const backend = cpuJs();
    const tensors = Object.fromEntries(
      list.map((one) => [one.name, backend.tensor(one.shape, one.dataSync())]),
    );
    const core = createOptimizer(adamRule({ learningRate: 0.1 }), tensors);
    core.restore(state);
    const next = (i: number): Record<string, Float32Array> =>
      Object.fromEntries(
        Object.entries(gradients(i)).map(([name, tensor]) => [name, tensor.dataSync<"float32">()]),
      );
    for (let i = 3; i < 6; i += 1) core.step(next(i));
    const back = { ...(await core.state()), shapes: state.shapes };
    for (let i = 3; i < 6; i += 1) optimizer.applyGradients(gradients(i));
    for (const one of list)
      expect(Array.from(await tensors[one.name].read())).toEqual(Array.from(one.dataSync()));

    const resumed = adam({ learningRate: 0.5 });
    resumed.restore(back);
    expect(resumed.learningRate).toBe(0.1);
    expect((await resumed.state()).slots).toEqual((await optimizer.state()).slots);
  });

  test("is a snapshot, and survives JSON", async () => {
    const list = variables();
    const optimizer = adam({ learningRate: 0.1 });
    optimizer.applyGradients(gradients(1));
    const pending = optimizer.state();
    const before = valuesOf(list);
    optimizer.applyGradients(gradients(2));
    const expected = valuesOf(list);
    const state = JSON.parse(JSON.stringify(await pending)) as TfOptimizerState;
    const resumed = adam();
    resumed.restore(state);
    tf.disposeVariables();
    const again = variables();
    again.forEach((one, i) => one.assign(tf.tensor(before[i], one.shape)));
    resumed.applyGradients(gradients(2));
    expect(valuesOf(again)).toEqual(expected);
  });

  test("before the first step: a new optimizer gives back what it restored", async () => {
    variables();
    const optimizer = adam({ learningRate: 0.1 });
    optimizer.applyGradients(gradients(1));
    const state = copyOf(await optimizer.state());
    const resumed = adam();
    resumed.restore(state);
    expect(await resumed.state()).toEqual(state);
    expect((await adam().state()).shapes).toEqual({});
  });

  test("has no variables that were disposed of", async () => {
    const [a] = variables();
    const optimizer = adam({}, { accumulate: 2, groups: [{ match: "a", learningRate: 0.5 }] });
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients(gradients(i));
    a.dispose();
    const state = await optimizer.state();
    expect(Object.keys(state.slots)).toEqual(["b"]);
    expect(Object.keys(state.shapes)).toEqual(["b"]);
    expect(Object.keys(state.control!.accumulated)).toEqual(["b"]);
    expect(state.groups.map(({ parameters }) => parameters)).toEqual([["b"], []]);
    const resumed = adam({}, { accumulate: 2, groups: [{ match: "a" }] });
    resumed.restore(state);
    expect(resumed.groups[0].learningRate).toBe(0.5);
    expect(resumed.microSteps).toBe(1);
  });

  test("keeps what a subclass added to the iterations", async () => {
    class Counting extends GradstepOptimizer {
      count(): void {
        this.incrementIterations();
      }
    }
    const optimizer = new Counting(adamRule());
    variables();
    optimizer.applyGradients(gradients(1));
    optimizer.count();
    const resumed = new Counting(adamRule());
    resumed.restore(copyOf(await optimizer.state()));
    expect([resumed.iterations, (await resumed.state()).iterations]).toEqual([2, 1]);
  });
});

describe("restore that fails changes nothing", () => {
  const trained = async (
    make: () => GradstepOptimizer,
    names: readonly string[] = ["a", "b"],
  ): Promise<OptimizerState> => {
    tf.disposeVariables();
    const optimizer = make();
    const list = names.map((name, i) => variable(numbers(2 + i, i + 1), [2 + i], name));
    optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })));
    const state = copyOf(await optimizer.state());
    tf.disposeVariables();
    return state;
  };

  const wrong: [string, () => unknown][] = [
    ["null", () => null],
    ["nothing", () => undefined],
    ["text", () => "{}"],
    ["an empty object", () => ({})],
    ["the state of another rule", () => trained(() => sgd({ momentum: 0.9 }))],
    ["the state of another option", () => trained(() => adam({ amsgrad: true }))],
    ["more groups", () => trained(() => adam({}, { groups: [{ match: "a" }] }))],
    ["no shapes", async () => ({ ...(await trained(adam)), shapes: undefined })],
    [
      "a shape that is none",
      async () => ({ ...(await trained(adam)), shapes: { a: [2], b: [-3] } }),
    ],
    [
      "a shape of another size",
      async () => ({ ...(await trained(adam)), shapes: { a: [2], b: [4] } }),
    ],
    ["no slots of a parameter", async () => ({ ...(await trained(adam)), slots: {} })],
    [
      "accumulated gradients that the optimizer does not have",
      async () => {
        const state = await trained(() => adam({}, { accumulate: 2 }));
        return { ...state, control: { ...state.control, microSteps: 1 } };
      },
    ],
  ];
  /** Optimizers that have no variables, those of the state, and others. */
  const targets: [string, readonly string[]][] = [
    ["a new optimizer", []],
    ["an optimizer of the same variables", ["a", "b"]],
    ["an optimizer of other variables", ["b", "c"]],
  ];
  describe.each(targets)("%s", (_, names) => {
    test.each(wrong)("%s: STATE_MISMATCH", async (__, make) => {
      const state = (await make()) as OptimizerState;
      tf.disposeVariables();
      const optimizer = adam();
      const list = names.map((name) => {
        const size = 2 + ["a", "b", "c"].indexOf(name);
        return variable(numbers(size, 1), [size], name);
      });
      const step = (): void =>
        optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })));
      if (list.length > 0) step();
      const before = copyOf(await optimizer.state());
      expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
      expect(await optimizer.state()).toEqual(before);
      if (list.length > 0) step();
      expect(optimizer.iterations).toBe(list.length > 0 ? 2 : 0);
    });
  });

  test("a Promise of a state: STATE_MISMATCH", async () => {
    const pending = adam().state() as unknown as OptimizerState;
    expect(await codeOf(() => adam().restore(pending))).toBe("STATE_MISMATCH");
  });

  test("a variable of another shape is an error at once where it is known, else in its first step", async () => {
    const state = await trained(adam);
    const a = variable([1, 2, 3], [3], "a");
    const known = adam();
    known.applyGradients({ a: tf.ones([3]) });
    const before = copyOf(await known.state());
    expect(await codeOf(() => known.restore(state))).toBe("STATE_MISMATCH");
    expect(await known.state()).toEqual(before);
    const unknown = adam();
    unknown.restore(state);
    const values = Array.from(a.dataSync());
    expect(await codeOf(() => unknown.applyGradients({ a: tf.ones([3]) }))).toBe("STATE_MISMATCH");
    expect(Array.from(a.dataSync())).toEqual(values);
  });

  test("while the variables are swapped, and after dispose", async () => {
    const make = (): GradstepOptimizer => adam({ use_ema: true });
    const state = await trained(make);
    const optimizer = make();
    variable([1, 1], [2], "a");
    optimizer.applyGradients({ a: tf.ones([2]) });
    optimizer.swap();
    expect(await codeOf(() => optimizer.restore(state))).toBe("SWAPPED");
    expect(await codeOf(() => optimizer.state())).toBe("SWAPPED");
    optimizer.swap();
    optimizer.restore(state);
    optimizer.dispose();
    expect(await codeOf(() => optimizer.restore(state))).toBe("DISPOSED");
    expect(await codeOf(() => optimizer.state())).toBe("DISPOSED");
  });

  test('a schedule that differs: STATE_MISMATCH, and with schedules: "code" that of the optimizer', async () => {
    const scheduled = (steps: number) => (): GradstepOptimizer =>
      tfOptimizer(adamwRule({ learningRate: cosineDecay(0.1, steps) }));
    const state = await trained(scheduled(100));
    const optimizer = scheduled(200)();
    expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
    expect((await optimizer.state()).shapes).toEqual({});
    optimizer.restore(state, { schedules: "code" });
    expect(optimizer.iterations).toBe(1);
  });

  test("a schedule where the optimizer of other variables has a number now", async () => {
    const scheduled = (): GradstepOptimizer =>
      tfOptimizer(adamwRule({ learningRate: cosineDecay(0.1, 100) }));
    const state = await trained(scheduled);
    const optimizer = scheduled();
    variable([1, 2], [2], "c");
    optimizer.applyGradients({ c: tf.ones([2]) });
    optimizer.learningRate = 0.5;
    const before = copyOf(await optimizer.state());
    expect(await codeOf(() => optimizer.restore(state))).toBe("STATE_MISMATCH");
    expect(await optimizer.state()).toEqual(before);
    expect(optimizer.learningRate).toBe(0.5);
  });
});

describe("restore with partial: true takes what fits", () => {
  const stateFor = async (
    shapes: Readonly<Record<string, readonly number[]>>,
    make: () => GradstepOptimizer = adam,
  ): Promise<OptimizerState> => {
    const optimizer = make();
    for (const [name, shape] of Object.entries(shapes))
      variable(new Float32Array(tf.util.sizeFromShape([...shape])), [...shape], name);
    const ones = Object.entries(shapes).map(([name, shape]) => ({
      name,
      tensor: tf.ones([...shape]),
    }));
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients(ones);
    const state = copyOf(await optimizer.state());
    tf.disposeVariables();
    return state;
  };
  /** The first moments after a step with gradients of 0, which are 0 without a state. */
  const momentsAfterStep = async (
    optimizer: GradstepOptimizer,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): Promise<Record<string, number>> => {
    const list = Object.entries(shapes).map(
      ([name, shape]) =>
        tf.engine().registeredVariables[name] ??
        variable(new Float32Array(tf.util.sizeFromShape([...shape])), [...shape], name),
    );
    optimizer.applyGradients(list.map(({ name, shape }) => ({ name, tensor: tf.zeros(shape) })));
    const { slots, shapes: saved } = await optimizer.state();
    return Object.fromEntries(
      Object.keys(saved).map((name) => [name, Math.round(1000 * slots[name]["m"][0])]),
    );
  };
  /** 1000 times 0.9 (1 − 0.9³). */
  const restored = 244;

  test("a new head: the layers before it keep their moments", async () => {
    const before = { "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 9] };
    const state = await stateFor(before);
    const after = { "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 2] };
    expect(
      await codeOf(() => {
        const strict = adam();
        strict.restore(state);
        return momentsAfterStep(strict, after);
      }),
    ).toBe("STATE_MISMATCH");
    tf.disposeVariables();
    const optimizer = adam();
    expect(optimizer.restore(state, { partial: true })).toEqual([]);
    expect(optimizer.iterations).toBe(3);
    expect(await momentsAfterStep(optimizer, after)).toEqual({
      "dense_Dense1/kernel": restored,
      "dense_Dense2/kernel": 0,
    });
  });

  test("a new head, in a process with other numbers", async () => {
    const state = await stateFor({ "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 9] });
    const optimizer = adam();
    optimizer.restore(state, { partial: true });
    const after = { "dense_Dense2/kernel": [4, 4], "dense_Dense3/kernel": [4, 2] };
    expect(await momentsAfterStep(optimizer, after)).toEqual({
      "dense_Dense1/kernel": restored,
      "dense_Dense3/kernel": 0,
    });
    expect((await optimizer.state()).shapes["dense_Dense1/kernel"]).toEqual([4, 4]);
  });

  test("one layer more: by names if all states have a variable, else nothing is taken", async () => {
    const state = await stateFor({ "dense_Dense1/kernel": [4, 4], "dense_Dense2/kernel": [4, 4] });
    const same = adam();
    same.restore(state, { partial: true });
    const names = ["dense_Dense1/kernel", "dense_Dense2/kernel", "dense_Dense3/kernel"];
    const shapes = Object.fromEntries(names.map((name) => [name, [4, 4]]));
    expect(Object.values(await momentsAfterStep(same, shapes))).toEqual([restored, restored, 0]);
    tf.disposeVariables();
    const shifted = adam();
    shifted.restore(state, { partial: true });
    const others = ["dense_Dense2/kernel", "dense_Dense3/kernel", "dense_Dense4/kernel"];
    await momentsAfterStep(shifted, Object.fromEntries(others.map((name) => [name, [4, 4]])));
    const { slots } = await shifted.state();
    const zeros = Object.values(slots).filter(({ m }) => m[0] === 0);
    expect(zeros).toHaveLength(3);
  });

  test("variables that the optimizer knows: each misfit is returned, and they keep their state", async () => {
    const state = await stateFor({ a: [2], b: [3], gone: [1] });
    const optimizer = adam();
    variable([1, 2], [2], "a");
    variable([1, 2], [2], "b");
    variable([1], [1], "own");
    optimizer.applyGradients({ a: tf.zeros([2]), b: tf.ones([2]), own: tf.ones([1]) });
    const before = copyOf(await optimizer.state());
    const strict = (): unknown => optimizer.restore(state);
    expect(await codeOf(strict)).toBe("STATE_MISMATCH");
    expect(strict).toThrow(/shapes\.b is \[3\]; expected \[2\]/);
    expect(await optimizer.state()).toEqual(before);
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => [kind, path])).toEqual(
      expect.arrayContaining([
        ["shape", "shapes.b"],
        ["parameter", "shapes.own"],
      ]),
    );
    expect(optimizer.iterations).toBe(3);
    expect(await momentsAfterStep(optimizer, { a: [2], b: [2], own: [1] })).toEqual({
      a: restored,
      b: 90,
      own: 90,
      gone: 271,
    });
  });

  test("the state of another rule: the steps are taken", async () => {
    const state = await stateFor({ a: [2] }, () => sgd({ momentum: 0.9 }));
    const optimizer = adam();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind }) => kind)).toContain("rule");
    expect(optimizer.iterations).toBe(3);
    expect(optimizer.learningRate).toBe(0.001);
  });

  test("what is no state is an error all the same", async () => {
    const restore = (state: unknown) => (): unknown =>
      adam().restore(state as OptimizerState, { partial: true });
    for (const state of [null, "{}", {}])
      expect(await codeOf(restore(state))).toBe("STATE_MISMATCH");
    const wrong = { partial: true, strict: true } as never;
    const valid = await stateFor({ a: [2] });
    expect(await codeOf(() => adam().restore(valid, wrong))).toBe("UNKNOWN_OPTION");
  });
});
