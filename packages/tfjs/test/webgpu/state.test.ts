import "@tensorflow/tfjs-backend-webgpu";
import { decayRate, defineRule, nonNegative } from "@gradstep/core";
import { adam, tfOptimizer, tfParameters } from "../../src/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { artifactsOf, codeOf, layers, numbers, tf, variable } from "../support.js";
import { describe } from "./describe.js";
import { bufferOf, computed, onGpu, valuesOf } from "./tensors.js";

describe("state, webgpu", () => {
  beforeEach(async () => {
    await tf.setBackend("webgpu");
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  const rules = {
    adam: () => adam({ learningRate: 0.01, amsgrad: true }),
    "a custom rule": () =>
      tfOptimizer(
        defineRule({
          name: "slow",
          hyperparameters: { learningRate: nonNegative(0.01), beta: decayRate(0.5) },
          slots: { mean: 0 },
          perStep: "c = 1 - beta",
          perElement: `
            mean = mean + (g - mean) * c
            p = p - mean * learningRate`,
        })(),
      ),
  };
  test.each(Object.entries(rules))("saving and resuming changes no bit: %s", async (_, make) => {
    const path = async (resume: boolean): Promise<number[]> => {
      const v = onGpu(numbers(50, 1), [50], "v");
      let optimizer = make();
      for (let i = 0; i < 10; i += 1) {
        if (resume && i === 5) {
          const weights = await optimizer.getWeights();
          optimizer.dispose();
          optimizer = make();
          await optimizer.setWeights(weights);
        }
        optimizer.minimize(() => tf.sum(tf.square(v)));
      }
      const values = await valuesOf(v);
      optimizer.dispose();
      tf.disposeVariables();
      return values;
    };
    expect(await path(true)).toEqual(await path(false));
  });

  test("state and values are of one moment, and continue with the same bits, also elsewhere", async () => {
    const step = (optimizer: tf.Optimizer, v: tf.Variable): void => {
      optimizer.minimize(() => tf.sum(tf.square(v)), false, [v]);
    };
    const v = onGpu(numbers(50, 1), [50], "v");
    const optimizer = adam({ learningRate: 0.01 });
    for (let i = 0; i < 5; i += 1) step(optimizer, v);
    const [pendingState, pendingValues] = [optimizer.state(), tfParameters([v])["v"].read()];
    for (let i = 0; i < 5; i += 1) step(optimizer, v);
    const expected = await valuesOf(v);
    const [state, values] = [await pendingState, await pendingValues];
    expect(state.iterations).toBe(5);

    const w = onGpu(numbers(50, 2), [50], "w");
    const resumed = adam();
    resumed.restore(state);
    tfParameters([w])["w"].write(values);
    for (let i = 0; i < 5; i += 1) step(resumed, w);
    expect(await valuesOf(w)).toEqual(expected);

    await tf.setBackend("cpu");
    const onCpu = adam();
    onCpu.restore(state);
    expect(await onCpu.state()).toEqual(state);
  });

  test("a model is saved and loaded with its optimizer", async () => {
    const x = computed(numbers(32, 1), [4, 8]);
    const fit = (model: layers.LayersModel, steps: number): void => {
      for (let i = 0; i < steps; i += 1)
        model.optimizer.minimize(() => tf.mean(tf.square(model.apply(x) as tf.Tensor)));
    };
    const make = (): layers.Sequential => {
      const kernelInitializer = layers.initializers.glorotUniform({ seed: 1 });
      const dense = layers.layers.dense({ units: 3, inputShape: [8], kernelInitializer });
      const model = layers.sequential({ layers: [dense] });
      model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: "meanSquaredError" });
      return model;
    };
    const first = make();
    fit(first, 3);
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(await artifactsOf(first)));
    first.dispose();
    fit(loaded, 3);
    const straight = make();
    fit(straight, 6);
    const kernel = async (model: layers.LayersModel): Promise<number[]> =>
      valuesOf(model.getWeights()[0]);
    expect(await kernel(loaded)).toEqual(await kernel(straight));
  });

  test("state and variables follow TF.js to the GPU", async () => {
    const run = async (first: string): Promise<number[]> => {
      await tf.setBackend(first);
      const v = variable(numbers(20, 1), [20], "v");
      const optimizer = adam({ learningRate: 0.1 });
      const cost = (): tf.Scalar => tf.sum(tf.square(v));
      for (let i = 0; i < 3; i += 1) optimizer.minimize(cost);
      await tf.setBackend("webgpu");
      for (let i = 0; i < 3; i += 1) optimizer.minimize(cost);
      expect(bufferOf(v)).toBeInstanceOf(GPUBuffer);
      const values = await valuesOf(v);
      const [, m] = await optimizer.getWeights();
      optimizer.dispose();
      tf.disposeVariables();
      return [...values, ...(await m.tensor.data())];
    };
    const there = await run("webgpu");
    for (const first of ["cpu", "wasm"]) {
      const got = await run(first);
      got.forEach((value, i) => expect(Math.abs(value - there[i])).toBeLessThan(1e-6));
    }
  });

  test("state cannot leave the GPU within a step, but through getWeights and setWeights", async () => {
    const v = onGpu([1, 2], [2], "v");
    const optimizer = adam({ learningRate: 1 });
    optimizer.applyGradients({ v: computed([1, 1]) });
    // TF.js reads a variable synchronously only if it was read before.
    await v.data();
    await tf.setBackend("cpu");
    const gradients = { v: tf.tensor([1, 1]) };
    expect(await codeOf(() => optimizer.applyGradients(gradients))).toBe("UNSUPPORTED");
    expect(optimizer.iterations).toBe(1);
    const moved = adam({ learningRate: 1 });
    await moved.setWeights(await optimizer.getWeights());
    moved.applyGradients(gradients);
    expect(moved.iterations).toBe(2);
    const [, m] = await moved.getWeights();
    expect((await valuesOf(m.tensor))[0]).toBeCloseTo(0.19, 6);
    expect((await valuesOf(v))[1]).toBeCloseTo(0, 4);
    optimizer.dispose();
  });
});

describe("fallback, webgpu", () => {
  test("a rule with more slots than the device can bind works on copies", async () => {
    await tf.setBackend("webgpu");
    const names = ["a", "b", "c", "d", "e", "f"];
    const wide = defineRule({
      name: "wide",
      hyperparameters: { learningRate: nonNegative(1) },
      slots: Object.fromEntries(names.map((name) => [name, 0])),
      perStep: "rate = learningRate",
      perElement: `
      ${names.map((name) => `${name} = ${name} + g`).join("\n")}
      p = p - (${names.join(" + ")}) * rate`,
    });
    const v = variable([1, 2], [2], "v");
    const optimizer = tfOptimizer(wide());
    const gradient = tf.tensor([1, 0.5]);
    const before = tf.memory().numTensors;
    optimizer.applyGradients({ v: gradient });
    optimizer.applyGradients({ v: gradient });
    expect(tf.memory().numTensors).toBe(before);
    expect(await valuesOf(v)).toEqual([1 - 18, 2 - 9]);
    optimizer.dispose();
    tf.disposeVariables();
  });
});
