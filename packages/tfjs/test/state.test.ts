import {
  adam as adamRule,
  adamw as adamwRule,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  ema,
  rmsprop as rmspropRule,
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
import { backends, fit, layers, numbers, tf, variable, weightsOf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

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
  // What a file keeps.
  return structuredClone({
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
      expect(structuredClone(await resumed.state()).slots).not.toEqual({});
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
    const state = structuredClone(await optimizer.state());
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
    const state = structuredClone(await optimizer.state());
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
    resumed.restore(structuredClone(await optimizer.state()));
    expect([resumed.iterations, (await resumed.state()).iterations]).toEqual([2, 1]);
  });
});
