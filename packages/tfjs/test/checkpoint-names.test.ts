import { adam, sgd, type GradstepOptimizer, type NamedTensor } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { artifactsOf, backends, codeOf, fit, layers, numbers, tf, weightsOf } from "./support.js";

function define(names: readonly string[], values?: readonly Float32Array[]): tf.Variable[] {
  return names.map((name, i) =>
    tf.tidy(() => tf.variable(tf.tensor(values?.[i] ?? numbers(2, i + 1)), true, name)),
  );
}

/** One step with gradients that differ by variable. */
function step(optimizer: tf.Optimizer, variables: readonly tf.Variable[], scale = 1): void {
  tf.tidy(() => {
    optimizer.applyGradients(
      variables.map(({ name, shape }, i) => ({ name, tensor: tf.fill(shape, scale * 10 ** i) })),
    );
  });
}

async function save(optimizer: tf.Optimizer): Promise<NamedTensor[]> {
  const weights = await optimizer.getWeights();
  return Promise.all(
    weights.map(async ({ name, tensor }) => ({
      name,
      tensor: tf.tensor((await tensor.data()).slice(), tensor.shape, tensor.dtype),
    })),
  );
}

const valuesOf = (variables: readonly tf.Variable[]): Float32Array[] =>
  variables.map((one) => one.dataSync<"float32">().slice());

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

const saved = ["dense_Dense1/kernel", "dense_Dense2/kernel", "dense_Dense3/kernel"];

describe("names that TF.js numbers differently in the next process", () => {
  /** Two steps of variables with the first names, two more after a restart with the second names. */
  async function resumed(
    before: readonly string[],
    after: readonly string[],
    others: readonly string[] = [],
    parts: readonly (readonly number[])[] = [before.map((_, i) => i)],
  ): Promise<{ got: Float32Array[]; expected: Float32Array[] }> {
    const steps = (optimizer: tf.Optimizer, variables: readonly tf.Variable[]): void => {
      for (let i = 0; i < 2; i += 1)
        for (const [k, part] of parts.entries())
          step(
            optimizer,
            part.map((index) => variables[index]),
            10 ** k,
          );
    };
    const optimizer = adam({ learningRate: 0.1 });
    const first = define(before);
    steps(optimizer, first);
    const [weights, values] = [await save(optimizer), valuesOf(first)];
    steps(optimizer, first);
    const expected = valuesOf(first);
    tf.disposeVariables();

    define(others);
    const second = define(after, values);
    const next = adam({ learningRate: 0.1 });
    await next.setWeights(weights);
    steps(next, second);
    return { got: valuesOf(second), expected };
  }

  const cases: [string, string[], string[], string[]?, number[][]?][] = [
    ["the same names", saved, saved],
    ["one layer more before", saved, shifted(saved, 1)],
    ["one layer fewer before", shifted(saved, 1), saved],
    ["past the tenth layer", shifted(saved, 6), shifted(saved, 8)],
    ["one layer more, which is still there", saved, shifted(saved, 1), [saved[0]]],
    ["one layer more, of which two are trained", saved, shifted(saved, 1), [], [[1, 2]]],
    ["several layers of one kind in turn", saved, shifted(saved, 1), [], [[0, 1], [2]]],
    ["names made unique", ["d/kernel", "d/bias"], ["d/kernel_1", "d/bias_1"]],
    ["names made unique before", ["d/kernel_3", "d/bias_3"], ["d/kernel", "d/bias"]],
    ["no names", ["0", "1", "2"], ["1", "2", "3"]],
    ["no names, past 9", ["8", "9", "10"], ["9", "10", "11"]],
    ["no names, in turn", ["0", "1", "2"], ["1", "2", "3"], [], [[0, 1], [2]]],
    ["no names, the last first", ["0", "1", "2"], ["3", "4", "5"], [], [[2], [0, 1]]],
    [
      "no names, the last first, then backwards",
      ["0", "1", "2"],
      ["3", "4", "5"],
      [],
      [[2], [1, 0]],
    ],
    ["no names, backwards", ["0", "1", "2"], ["3", "4", "5"], [], [[2, 1, 0]]],
    ["layers, the last first, then backwards", saved, shifted(saved, 1), [], [[2], [1, 0]]],
    ["other names altogether", ["a", "b"], ["x", "y"]],
  ];
  test.each(cases)("%s", async (_, before, after, others, parts) => {
    const { got, expected } = await resumed(before, after, others, parts);
    expect(got).toEqual(expected);
  });

  test("names of the user's own are never renumbered", async () => {
    const names = ["w_1", "w_2"];
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    step(optimizer, define(names, [Float32Array.of(0), Float32Array.of(0)]));
    const weights = await save(optimizer);
    tf.disposeVariables();
    const [second, third] = define(["w_2", "w_3"], [Float32Array.of(0), Float32Array.of(0)]);
    const next = sgd({ learningRate: 1, momentum: 0.5 });
    await next.setWeights(weights);
    step(next, [second, third], 0);
    // The momentum of w_2 was 10; w_3 has none.
    expect(valuesOf([second, third])).toEqual([Float32Array.of(-5), Float32Array.of(0)]);
  });

  test("a step without them, of a variable that is new: they wait", async () => {
    const zero = Float32Array.of(0);
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    step(optimizer, define(["a", "b"], [zero, zero]));
    const weights = await save(optimizer);
    tf.disposeVariables();
    const [a, b, c] = define(["a", "b", "c"], [zero, zero, zero]);
    const next = sgd({ learningRate: 1, momentum: 0.5 });
    await next.setWeights(weights);
    step(next, [c], 0);
    step(next, [b, a], 0);
    // The momenta were 1 and 10; c has none.
    expect(valuesOf([a, b, c])).toEqual([Float32Array.of(-0.5), Float32Array.of(-5), zero]);
  });

  test("two states and one variable of the same kind: an error, and nothing changes", async () => {
    const optimizer = adam();
    step(optimizer, define(["0", "1"]));
    const weights = await save(optimizer);
    tf.disposeVariables();
    const [only] = define(["1"]);
    const before = valuesOf([only]);
    const next = adam();
    await next.setWeights(weights);
    expect(await codeOf(() => step(next, [only]))).toBe("STATE_MISMATCH");
    expect(valuesOf([only])).toEqual(before);
    expect(next.iterations).toBe(1);
  });
});

function shifted(names: readonly string[], by: number): string[] {
  return names.map((name) => name.replace(/\d+/, (number) => String(Number(number) + by)));
}

describe.each(backends)("two models from one factory, %s", (backend) => {
  const x = (): tf.Tensor => tf.tensor(numbers(16, 1), [8, 2]);
  const y = (): tf.Tensor => tf.tensor(numbers(8, 2), [8, 1]);
  const build = (optimizer: tf.Optimizer, name?: string): layers.Sequential => {
    const named = (suffix: string): { name?: string } => (name ? { name: name + suffix } : {});
    const model = layers.sequential({
      layers: [
        layers.layers.dense({ ...named(""), units: 3, inputShape: [2] }),
        layers.layers.dense({ ...named("-out"), units: 1 }),
      ],
    });
    model.compile({ optimizer, loss: "meanSquaredError" });
    return model;
  };
  const train = async (model: layers.LayersModel): Promise<void> => {
    await fit(model, { x: x(), y: y() }, 2);
  };
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test.each([
    ["second", 1, 0],
    ["first", 0, 1],
  ])("one optimizer for both: the %s resumes with its own state", async (which, kept, other) => {
    const optimizer = adam({ learningRate: 0.05 });
    const name = `shared-${backend}-${which}`;
    const models = [build(optimizer, name), build(optimizer, name)] as const;
    for (const model of [...models, ...models]) await train(model);
    const artifacts = await artifactsOf(models[kept]);
    await train(models[kept]);
    const expected = weightsOf(models[kept]);
    expect(weightsOf(models[other])).not.toEqual(expected);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    await train(loaded);
    expect(weightsOf(loaded)).toEqual(expected);
  });

  /** Two models without names share an optimizer, and one is saved; what its weights are after more steps. */
  async function savedWithoutNames(
    kept: number,
  ): Promise<{ artifacts: tf.io.ModelArtifacts; expected: number[][] }> {
    const optimizer = adam({ learningRate: 0.05 });
    const models = [build(optimizer), build(optimizer)];
    for (const model of [...models, ...models]) await train(model);
    const artifacts = await artifactsOf(models[kept]);
    await train(models[kept]);
    const expected = weightsOf(models[kept]);
    tf.disposeVariables();
    return { artifacts, expected };
  }

  test.each([0, 1])("layers without names: model %d resumes with its own state", async (kept) => {
    const { artifacts, expected } = await savedWithoutNames(kept);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    await train(loaded);
    expect(weightsOf(loaded)).toEqual(expected);
  });

  test("layers without names: an error where numbers and names of layers contradict", async () => {
    const { artifacts } = await savedWithoutNames(1);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    // In the order of their numbers, the variables of the loaded model are those of the first one.
    build(adam());
    const before = weightsOf(loaded);
    expect(await codeOf(() => train(loaded))).toBe("STATE_MISMATCH");
    expect(weightsOf(loaded)).toEqual(before);
  });

  test.each([
    [0, 0],
    [1, 0],
    [2, 0],
    [0, 1],
    [1, 2],
    [2, 2],
  ])(
    "the biases of three models are equal: model %d resumes with its own state beside %d others",
    async (kept, beside) => {
      const optimizer = adam({ learningRate: 0.05 });
      const name = `equal-${backend}-${kept}-${beside}`;
      const models = [0, 1, 2].map(() => build(optimizer, name));
      for (const model of [...models, ...models]) await train(model);
      for (const model of models) {
        const [kernel, , outKernel] = model.getWeights();
        model.setWeights([kernel, tf.zeros([3]), outKernel, tf.zeros([1])]);
      }
      const artifacts = await artifactsOf(models[kept]);
      await train(models[kept]);
      const expected = weightsOf(models[kept]);
      tf.disposeVariables();
      for (let i = 0; i < beside; i += 1) build(adam(), name);
      const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
      await train(loaded);
      expect(weightsOf(loaded)).toEqual(expected);
    },
  );

  test("all values of three models are equal: an error, and nothing changes", async () => {
    const optimizer = adam({ learningRate: 0.05 });
    const models = [0, 1, 2].map(() => build(optimizer, `same-${backend}`));
    for (const model of [...models, ...models]) await train(model);
    for (const model of models) model.setWeights(models[0].getWeights());
    const artifacts = await artifactsOf(models[0]);
    tf.disposeVariables();
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    const before = weightsOf(loaded);
    expect(await codeOf(() => train(loaded))).toBe("STATE_MISMATCH");
    expect(weightsOf(loaded)).toEqual(before);
  });

  test("one model after the other: the checkpoint has the state of the last one", async () => {
    const optimizer = adam({ learningRate: 0.05 });
    const first = build(optimizer, `folds-${backend}`);
    await train(first);
    first.dispose();
    const second = build(optimizer, `folds-${backend}`);
    await train(second);
    const artifacts = await artifactsOf(second);
    expect(await optimizer.getWeights()).toHaveLength(1 + 2 * 4);
    await train(second);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    await train(loaded);
    expect(weightsOf(loaded)).toEqual(weightsOf(second));
  });

  test("state goes from a model to its twin, also once that was trained", async () => {
    const make = (): layers.Sequential => {
      const dense = (units: number): ReturnType<typeof layers.layers.dense> =>
        layers.layers.dense({ units, ...(units > 1 && { inputShape: [2] }) });
      const model = layers.sequential({ layers: [dense(3), dense(1)] });
      model.compile({ optimizer: adam({ learningRate: 0.05 }), loss: "meanSquaredError" });
      return model;
    };
    const [source, target] = [make(), make()];
    await train(source);
    await train(target);
    const state = await source.optimizer.getWeights();
    target.setWeights(source.getWeights());
    await target.optimizer.setWeights(state);
    await train(target);
    await train(source);
    expect(weightsOf(target)).toEqual(weightsOf(source));
    expect((target.optimizer as GradstepOptimizer).iterations).toBe(4);
    // The state that the target had before is gone.
    expect(await target.optimizer.getWeights()).toHaveLength(1 + 2 * 4);
  });
});
