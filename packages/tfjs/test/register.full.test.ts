import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  artifactsOf,
  classifier,
  fit,
  layers,
  samples,
  tf,
  variable,
  weightsOf,
} from "./support.js";

/** The factory of that name in `tf.train`. */
const factory = (name: string): unknown => Reflect.get(tf.train, name);

// Before anything is registered.
const own = Object.fromEntries(["adam", "sgd"].map((name) => [name, factory(name)]));
const { register, unregister } = await import("../src/register.js");
const { GradstepOptimizer } = await import("../src/index.js");
const atImport = factory("adam");

beforeEach(async () => {
  await tf.setBackend("cpu");
  register();
});
afterEach(() => {
  tf.disposeVariables();
});

const compiled = (optimizer: string | tf.Optimizer): layers.Sequential => {
  const model = classifier();
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  return model;
};

test("register refuses what is no copy of TF.js, and changes nothing", () => {
  const before = factory("adam");
  for (const other of [
    null,
    {},
    "tf",
    1,
    () => {},
    { train: {} },
    { train: {}, serialization: {} },
  ])
    expect(() => register(other as never)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining("window.tf"),
      }),
    );
  expect(factory("adam")).toBe(before);
});

describe("register", () => {
  test("the import registers; a second call does nothing; unregister restores TF.js's optimizers", () => {
    expect(atImport).not.toBe(own["adam"]);
    const ours = factory("adam");
    register();
    expect(factory("adam")).toBe(ours);
    unregister();
    expect(factory("adam")).toBe(own["adam"]);
    expect(factory("sgd")).toBe(own["sgd"]);
    expect(tf.train.adam()).not.toBeInstanceOf(GradstepOptimizer);
    expect(compiled("adam").optimizer).toBeInstanceOf(tf.AdamOptimizer);
    unregister();
    register();
    expect(tf.train.adam()).toBeInstanceOf(GradstepOptimizer);
  });

  test("a factory that another library replaced afterwards stays", () => {
    const theirs = (): tf.AdamOptimizer => new tf.AdamOptimizer(1, 0, 0);
    tf.train.adam = theirs;
    unregister();
    expect(factory("adam")).toBe(theirs);
    tf.train.adam = own["adam"] as typeof tf.train.adam;
  });

  test("the strings that compile takes", () => {
    const names = ["Adagrad", "Adadelta", "Adam", "Adamax", "RMSProp", "SGD"];
    for (const name of [...names, ...names.map((one) => one.toLowerCase())]) {
      const { optimizer } = compiled(name);
      expect(optimizer).toBeInstanceOf(GradstepOptimizer);
      expect(optimizer.getClassName().toLowerCase()).toBe(name.toLowerCase());
    }
  });

  test("arguments and defaults are TF.js's", () => {
    expect(tf.train.adam().getConfig()).toEqual({
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
    });
    expect(tf.train.adam(0.1, 0.8, 0.9, 0.01).getConfig()).toEqual({
      learningRate: 0.1,
      beta1: 0.8,
      beta2: 0.9,
      epsilon: 0.01,
    });
    expect(tf.train.adam(0.1, undefined, undefined, null as never).getConfig()["epsilon"]).toBe(
      1e-7,
    );
    expect(tf.train.adamax().getConfig()).toEqual({
      learningRate: 0.002,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      decay: 0,
    });
    expect(tf.train.momentum(0.1, 0.9, true).getConfig()).toEqual({
      learningRate: 0.1,
      momentum: 0.9,
      useNesterov: true,
    });
    expect(tf.train.rmsprop(0.1, 0.8, 0.5, null as never, true).getConfig()).toEqual({
      learningRate: 0.1,
      decay: 0.8,
      momentum: 0.5,
      epsilon: 1e-7,
      centered: true,
    });
    expect(tf.train.adagrad(0.1).getConfig()).toEqual({
      learningRate: 0.1,
      initialAccumulatorValue: 0.1,
    });
  });

  test("setLearningRate, setMomentum, and TF.js's names for hyperparameters", () => {
    const momentum = tf.train.momentum(0.1, 0.9);
    momentum.setLearningRate(0.2);
    momentum.setMomentum(0.5);
    expect(momentum.getConfig()).toEqual({ learningRate: 0.2, momentum: 0.5, useNesterov: false });
    const rmsprop = tf.train.rmsprop(0.1) as unknown as { decay: number; rho: number };
    rmsprop.decay = 0.5;
    expect(rmsprop.rho).toBe(0.5);
  });

  test.each(sampled(["adam", "sgd", "rmsprop", "adagrad", "adamax"], 2))(
    "compile({ optimizer: '%s' }) trains as before",
    async (name) => {
      const data = samples();
      const got = await fit(compiled(name), data, 5);
      unregister();
      const expected = await fit(compiled(name), data, 5);
      got.forEach((loss, i) => expect(Math.abs(loss - expected[i])).toBeLessThan(1e-5));
    },
  );
});

describe("saved models", () => {
  const makers: [string, () => tf.Optimizer][] = [
    ["SGD", () => tf.train.sgd(0.1)],
    ["Momentum", () => tf.train.momentum(0.1, 0.9, true)],
    ["Adagrad", () => tf.train.adagrad(0.1)],
    ["RMSProp", () => tf.train.rmsprop(0.01)],
    ["RMSProp", () => tf.train.rmsprop(0.01, 0.9, 0.5)],
    ["Adam", () => tf.train.adam(0.01)],
  ];
  test.each(makers)("%s goes from TF.js to gradstep and back", async (className, make) => {
    const data = samples();
    const trained = async (): Promise<layers.Sequential> => {
      const model = compiled(make());
      await fit(model, data, 2);
      return model;
    };
    const load = async (artifacts: tf.io.ModelArtifacts): Promise<layers.LayersModel> =>
      layers.loadLayersModel(tf.io.fromMemory(artifacts));
    const ours = await artifactsOf(await trained());
    unregister();
    const straight = await trained();
    const theirs = await artifactsOf(straight);
    expect(ours.trainingConfig!.optimizer_config).toEqual(theirs.trainingConfig!.optimizer_config);
    expect(ours.weightSpecs!.length).toBe(theirs.weightSpecs!.length);
    const expected = await fit(straight, data, 2);

    // Saved with gradstep, loaded in plain TF.js.
    const there = await load(ours);
    expect(there.optimizer).not.toBeInstanceOf(GradstepOptimizer);
    const inTfjs = await fit(there, data, 2);
    // Saved with TF.js, loaded with gradstep registered.
    register();
    const here = await load(theirs);
    expect(here.optimizer.getClassName()).toBe(className);
    expect(here.optimizer.iterations).toBe(16);
    const inGradstep = await fit(here, data, 2);
    expected.forEach((loss, i) => {
      expect(Math.abs(inTfjs[i] - loss)).toBeLessThan(1e-5);
      expect(Math.abs(inGradstep[i] - loss)).toBeLessThan(1e-5);
    });
  });

  test("centered RMSprop has TF.js's layout", async () => {
    const layout = async (): Promise<[string, number][]> => {
      const optimizer = tf.train.rmsprop(0.01, 0.9, 0, 1e-3, true);
      variable([1], [1], "a");
      variable([1], [1], "b");
      optimizer.applyGradients({ a: tf.ones([1]), b: tf.tensor([2]) });
      const weights = await optimizer.getWeights();
      const first = weights.map(({ name, tensor }): [string, number] => [
        name,
        tensor.dataSync()[0],
      ]);
      tf.disposeVariables();
      return first;
    };
    const ours = await layout();
    unregister();
    const theirs = await layout();
    expect(ours.map(([name]) => name)).toEqual(theirs.map(([name]) => name));
    ours.forEach(([name, value], i) => {
      // TF.js saves momenta that a momentum of 0 never uses.
      expect(value).toBeCloseTo(name.endsWith("/momentum") ? 0 : theirs[i][1], 6);
    });
  });

  test("Adamax can be saved; TF.js's own cannot", async () => {
    const data = samples();
    const straight = compiled("adamax");
    await fit(straight, data, 2);
    const model = compiled("adamax");
    await fit(model, data, 2);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(await artifactsOf(model)));
    expect(await fit(loaded, data, 2)).toEqual(await fit(straight, data, 2));
    expect(weightsOf(loaded)).toEqual(weightsOf(straight));
    unregister();
    await expect(artifactsOf(compiled("adamax"))).rejects.toThrow(/not implemented/);
  });
});
