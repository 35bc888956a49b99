import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adam, GradstepOptimizer, sgd, type NamedTensor } from "../src/index.js";
import { artifactsOf, classifier, codeOf, fit, layers, samples, tf, variable } from "./support.js";

const { register, unregister } = await import("../src/register.js");

beforeEach(async () => {
  await tf.setBackend("cpu");
  register();
});
afterEach(() => {
  tf.disposeVariables();
  vi.restoreAllMocks();
});
afterAll(unregister);

type Train = Record<string, new (...settings: unknown[]) => tf.Optimizer>;
const train = tf.train as unknown as Train & Record<string, (...s: unknown[]) => tf.Optimizer>;
type Values = Record<string, number | boolean>;
const valuesOf = (optimizer: tf.Optimizer): Values => optimizer as unknown as Values;

/** The values of a variable [1, −2] after three steps with gradients of [1, 2], [2, 4] and [3, 6]. */
function walk(optimizer: tf.Optimizer, change?: (optimizer: tf.Optimizer) => void): number[] {
  const v = variable([1, -2], [2], "v");
  for (let i = 1; i <= 3; i += 1) {
    const gradient = tf.tensor([i, 2 * i]);
    optimizer.applyGradients({ v: gradient });
    gradient.dispose();
    if (i === 1) change?.(optimizer);
  }
  const values = Array.from(v.dataSync());
  v.dispose();
  return values;
}

/** What the same call gives with TF.js's own optimizers. */
function inTfjs<T>(act: () => T): T {
  unregister();
  try {
    return act();
  } finally {
    register();
  }
}

function expectClose(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-5));
}

describe("calls that TF.js takes give TF.js's numbers", () => {
  const calls: [string, string, unknown[]][] = [
    ["a rate as text", "adam", ["0.1"]],
    ["a rate as text", "sgd", ["0.1"]],
    ["a rate as text", "momentum", [" 0.1 ", 0.9]],
    ["a rate as text", "adagrad", ["1e-1"]],
    ["a rate as text", "adamax", ["0.1"]],
    ["a negative rate", "adam", [-0.1]],
    ["a negative rate", "sgd", [-0.1]],
    ["a negative rate", "momentum", [-0.1, 0.9]],
    ["a negative rate", "rmsprop", [-0.1]],
    ["a negative rate", "adagrad", [-0.1]],
    ["a negative rate", "adamax", [-0.1]],
    ["momentum above 1", "momentum", [0.1, 1.5]],
    ["useNesterov 1", "momentum", [0.1, 0.9, 1]],
    ['useNesterov "true"', "momentum", [0.1, 0.9, "true"]],
    ["centered 1", "rmsprop", [0.1, 0.9, 0, 1e-3, 1]],
    ["a rate of 0", "adam", [0]],
    ["null epsilon", "adam", [0.1, 0.9, 0.999, null]],
  ];
  test.each(calls)("%s: tf.train.%s(%j)", (_, name, settings) => {
    const got = walk(train[name](...settings));
    expectClose(
      got,
      inTfjs(() => walk(train[name](...settings))),
    );
    expect(got).not.toEqual([1, settings[0] === 0 ? 0 : -2]);
  });

  test.each(["adam", "sgd", "momentum", "rmsprop", "adagrad", "adamax"])(
    "new tf.train.%s(0.1)",
    (name) => {
      const optimizer = new train[name](0.1, 0.9);
      expect(optimizer).toBeInstanceOf(GradstepOptimizer);
      expect(walk(optimizer)).toEqual(walk(train[name](0.1, 0.9)));
    },
  );

  test("a rate that is set as text between steps", () => {
    const change = (optimizer: tf.Optimizer): void => {
      (optimizer as unknown as { learningRate: string }).learningRate = "0.05";
    };
    expectClose(
      walk(train["adam"](0.1), change),
      inTfjs(() => walk(train["adam"](0.1), change)),
    );
    const optimizer = train["sgd"](0.1);
    change(optimizer);
    expect(valuesOf(optimizer)["learningRate"]).toBe(0.05);
  });

  const gradients: [string, number[], () => tf.NamedTensorMap | NamedTensor[]][] = [
    ["of integers", [2], () => ({ v: tf.tensor([1, 2], [2], "int32") })],
    ["of booleans", [2], () => ({ v: tf.tensor([1, 0], [2], "bool") })],
    ["a scalar", [2], () => ({ v: tf.scalar(0.5) })],
    ["one row for all", [2, 2], () => ({ v: tf.tensor([0.5, 0.25]) })],
    ["one column for all", [2, 2], () => [{ name: "v", tensor: tf.tensor([1, 2], [2, 1]) }]],
  ];
  test.each(gradients)("a gradient %s", (_, shape, make) => {
    const run = (optimizer: tf.Optimizer): number[] => {
      const size = shape.reduce((a, b) => a * b);
      const v = variable(new Float32Array(size).fill(1), shape, "v");
      optimizer.applyGradients(make());
      const before = tf.memory().numTensors;
      const given = make();
      optimizer.applyGradients(given);
      expect(tf.memory().numTensors).toBe(before + 1);
      const values = Array.from(v.dataSync());
      v.dispose();
      return values;
    };
    expectClose(
      run(train["adam"](0.1)),
      inTfjs(() => run(train["adam"](0.1))),
    );
  });

  test("a step without a gradient counts", () => {
    for (const make of [() => train["adam"](0.1), () => inTfjs(() => train["adam"](0.1))]) {
      const optimizer = make();
      const v = variable([1], [1], "v");
      optimizer.applyGradients({});
      optimizer.applyGradients([{ name: "v", tensor: null as never }]);
      expect(optimizer.iterations).toBe(2);
      expect(v.dataSync()[0]).toBe(1);
      v.dispose();
    }
  });
});

describe("iterations", () => {
  test.each([
    ["adam", () => adam()],
    ["tf.train.adam", () => train["adam"](0.1)],
  ])("%s: saveIterations is the number of steps", async (_, make) => {
    const optimizer = make();
    variable([1], [1], "v");
    for (let i = 0; i < 3; i += 1) optimizer.applyGradients({ v: tf.ones([1]) });
    const { name, tensor } = await optimizer.saveIterations();
    expect([name, tensor.dtype, tensor.shape, ...tensor.dataSync()]).toEqual([
      "iter",
      "int32",
      [],
      3,
    ]);
  });

  test("incrementIterations and extractIterations change the number, and it is saved", async () => {
    const optimizer = train["adam"](0.1);
    const inner = optimizer as unknown as {
      incrementIterations(): void;
      extractIterations(weights: NamedTensor[]): Promise<NamedTensor[]>;
    };
    inner.incrementIterations();
    expect(optimizer.iterations).toBe(1);
    const other = { name: "v/m", tensor: tf.ones([1]) };
    const iter = { name: "iter", tensor: tf.scalar(7, "int32") };
    expect(await inner.extractIterations([iter, other])).toEqual([other]);
    expect(optimizer.iterations).toBe(7);
    expect([...(await optimizer.getWeights())[0].tensor.dataSync()]).toEqual([7]);
    await optimizer.setWeights(await train["adam"](0.1).getWeights());
    expect(optimizer.iterations).toBe(0);
  });
});

describe("classes", () => {
  test.each([
    ["sgd", "SGD", [0.1]],
    ["momentum", "Momentum", [0.1, 0.8, true]],
    ["adagrad", "Adagrad", [0.1, 0.2]],
    ["rmsprop", "RMSProp", [0.1, 0.8, 0.5, 1e-3, true]],
    ["adam", "Adam", [0.1, 0.8, 0.99, 1e-3]],
    ["adamax", "Adamax", [0.1, 0.8, 0.99, 1e-3, 0.1]],
  ])(
    "%s: className is %s, and fromConfig makes an optimizer like it",
    (name, className, settings) => {
      const optimizer = train[name](...settings);
      const type = optimizer.constructor as unknown as {
        className: string;
        fromConfig(type: unknown, config: unknown): tf.Optimizer;
      };
      expect(type.className).toBe(className);
      expect(optimizer.getClassName()).toBe(className);
      const copy = type.fromConfig(type, optimizer.getConfig());
      expect(copy.getConfig()).toEqual(optimizer.getConfig());
      expect(Object.values(copy.getConfig())).toEqual(settings);
      expect(walk(copy)).toEqual(walk(optimizer));
    },
  );

  test.each([
    ["a negative rate", { learningRate: -0.01 }],
    ["a rate as text", { learningRate: "0.01" }],
    ["a rate that JSON turned to null", { learningRate: null }],
    ["β of 1", { beta2: 1 }],
  ])("a model that was saved with %s loads and predicts", async (_, changed) => {
    const model = classifier();
    model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
    const data = samples(8);
    await fit(model, data, 1);
    const artifacts = await artifactsOf(model);
    const saved: unknown = artifacts.trainingConfig!.optimizer_config;
    Object.assign((saved as { config: object }).config, changed);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(artifacts));
    const [got, expected] = [loaded, model].map((one) =>
      (one.predict(data.x) as tf.Tensor).dataSync(),
    );
    expect(got).toEqual(expected);
    expect(loaded.optimizer.iterations).toBe(1);
  });

  test("a copy by Object.create, and a Proxy, work as the optimizer does", async () => {
    for (const make of [() => adam({ learningRate: 0.1 }), () => train["adam"](0.1)]) {
      const expected = walk(make());
      const created = Object.create(make()) as tf.Optimizer;
      const proxy = new Proxy(make(), {});
      for (const optimizer of [created, proxy]) {
        expect(optimizer).toBeInstanceOf(GradstepOptimizer);
        expect(walk(optimizer)).toEqual(expected);
        expect(optimizer.iterations).toBe(3);
        expect(await optimizer.getWeights()).not.toHaveLength(0);
        optimizer.dispose();
      }
    }
  });
});

describe("properties", () => {
  test("useNesterov and centered can be read; another value is an error", async () => {
    const momentum = valuesOf(train["momentum"](0.1, 0.9, true));
    const rmsprop = valuesOf(train["rmsprop"](0.1));
    expect([momentum["useNesterov"], rmsprop["centered"]]).toEqual([true, false]);
    momentum["useNesterov"] = true;
    expect(await codeOf(() => (momentum["useNesterov"] = false))).toBe("UNSUPPORTED");
    expect(await codeOf(() => (rmsprop["centered"] = true))).toBe("UNSUPPORTED");
  });

  test.each([
    ["lr", () => adam()],
    ["learning_rate", () => train["sgd"](0.1)],
    ["beta_1", () => adam()],
    ["globalClipNorm", () => adam()],
    ["momentum", () => adam()],
    ["weightDecay", () => train["adam"](0.1)],
    ["rho", () => train["adam"](0.1)],
    ["beta1", () => sgd()],
  ])("an assignment to %s, which the optimizer does not have, is an error", async (name, make) => {
    const optimizer = valuesOf(make());
    expect(await codeOf(() => (optimizer[name] = 0.5))).toBe("UNKNOWN_OPTION");
    expect(optimizer[name]).toBeUndefined();
    expect(Object.keys(optimizer)).not.toContain(name);
  });

  test("setMomentum is a method of momentum alone", () => {
    expect("setMomentum" in train["momentum"](0.1, 0.9)).toBe(true);
    expect("setMomentum" in train["adam"](0.1)).toBe(false);
  });

  const messages: [string, () => unknown, RegExp][] = [
    ["momentum", () => train["momentum"](0.1, "much"), /^tf\.train\.momentum: momentum is "much"/],
    ["rmsprop", () => train["rmsprop"](0.1, NaN), /^tf\.train\.rmsprop: decay is NaN/],
    ["adamax", () => train["adamax"](0.1, 0.9, 0.9, 1e-7, {}), /^tf\.train\.adamax: decay is /],
    ["adam", () => train["adam"]("fast"), /^tf\.train\.adam: learningRate is "fast"/],
    [
      "rmsprop without a rate",
      () => train["rmsprop"](),
      /^learningRate for RMSPropOptimizer must be defined\. Got undefined/,
    ],
    [
      "rmsprop, set later",
      () => (valuesOf(train["rmsprop"](0.1))["decay"] = "x" as never),
      /^tf\.train\.rmsprop: decay is "x"/,
    ],
    [
      "a momentum that there is no state for",
      () => (valuesOf(train["rmsprop"](0.1))["momentum"] = 0.5),
      /^tf\.train\.rmsprop: momentum is 0\.5/,
    ],
  ];
  test.each(messages)("errors name TF.js's optimizer and argument: %s", async (_, act, message) => {
    expect(act).toThrow(message);
    expect(await codeOf(act)).toBe("INVALID_HYPERPARAMETER");
  });

  test("epsilon is by default that of the backend", () => {
    vi.spyOn(tf.backend(), "epsilon").mockReturnValue(1e-4);
    for (const name of ["adam", "adamax", "rmsprop"])
      expect(valuesOf(train[name](0.1))["epsilon"]).toBe(1e-4);
    // Adagrad's is not an argument.
    const gradient = tf.tensor([1e-3]);
    const run = (optimizer: tf.Optimizer): number[] => {
      const v = variable([0], [1], "v");
      optimizer.applyGradients({ v: gradient });
      const [value] = v.dataSync();
      v.dispose();
      return [value];
    };
    expectClose(
      run(train["adagrad"](1, 1e-5)),
      inTfjs(() => run(train["adagrad"](1, 1e-5))),
    );
    expect(valuesOf(train["adam"](0.1, 0.9, 0.9, 1e-3))["epsilon"]).toBe(1e-3);
  });
});

describe("malformed gradients", () => {
  const wrong: [string, () => unknown][] = [
    ["a list of tensors", () => [tf.ones([1])]],
    ["a Map", () => new Map([["v", tf.ones([1])]])],
    ["an entry with another key", () => [{ name: "v", gradient: tf.ones([1]) }]],
    [
      "one such entry among several",
      () => [
        { name: "v", tensor: tf.ones([1]) },
        { name: "w", grad: 1 },
      ],
    ],
  ];
  test.each(wrong)("%s is an error that says what is expected", async (_, make) => {
    for (const optimizer of [adam(), train["adam"](0.1)]) {
      const [v] = [variable([1], [1], "v"), variable([1], [1], "w")];
      const act = (): void => optimizer.applyGradients(make() as NamedTensor[]);
      expect(act).toThrow(/\{ name, tensor \}/);
      expect(await codeOf(act)).toBe("INVALID_GRADIENT");
      expect(v.dataSync()[0]).toBe(1);
      tf.disposeVariables();
    }
  });
});
