import { adam, nadam, type GradstepOptimizer } from "../src/index.js";
import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { artifactsOf, backends, classifier, fit, layers, samples, tf } from "./support.js";

describe.each(backends)("tensors, %s", (backend) => {
  test("are not leaked in steps, saves and a dispose", async () => {
    await tf.setBackend(backend);
    const data = samples(16);
    const model = classifier();
    const optimizer = adam({ learningRate: 0.01 });
    const start = tf.memory();
    model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
    expect(tf.memory().numTensors).toBe(start.numTensors);
    const predict = (): tf.Scalar =>
      tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(data.y, model.apply(data.x) as tf.Tensor);
    const steps = cases(1000, 100);
    for (let i = 0; i < steps; i += 1) optimizer.minimize(predict);
    expect(optimizer.iterations).toBe(steps);
    expect(tf.memory().numTensors).toBe(start.numTensors);
    expect(tf.memory().numBytes).toBe(start.numBytes);
    await fit(model, data, 3);
    expect(tf.memory().numTensors).toBe(start.numTensors);
    for (let i = 0; i < 20; i += 1) await artifactsOf(model);
    expect(tf.memory().numTensors).toBe(start.numTensors);
    model.dispose();
    optimizer.dispose();
    tf.dispose([data.x, data.y]);
    const end = tf.memory();
    expect(end.numTensors).toBe(start.numTensors - 4 - 2);
    expect(end.numDataBuffers).toBe(start.numDataBuffers - 4 - 2);
  });
});

// https://github.com/tensorflow/tfjs/issues/8238
test("a save leaks nothing; TF.js's own optimizer leaks a tensor per save", async () => {
  await tf.setBackend("cpu");
  const leaked = async (optimizer: tf.Optimizer): Promise<number> => {
    const model = classifier();
    const data = samples(8);
    model.compile({ optimizer, loss: "categoricalCrossentropy" });
    await fit(model, data, 1);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i += 1) await artifactsOf(model);
    return tf.memory().numTensors - before;
  };
  expect(await leaked(adam())).toBe(0);
  expect(await leaked(nadam())).toBe(0);
  expect(await leaked(tf.train.adam())).toBe(3);
});

// https://github.com/tensorflow/tfjs/issues/4647
test("dispose leaves nothing; TF.js's momentum leaves a tensor", () => {
  const left = (make: () => tf.Optimizer): number => {
    const before = tf.memory().numTensors;
    make().dispose();
    return tf.memory().numTensors - before;
  };
  expect(left(() => adam())).toBe(0);
  expect(left(() => tf.train.momentum(0.1, 0.9))).toBe(1);
});

test("weights are tensors that TF.js can compute with, and dispose of", async () => {
  await tf.setBackend("cpu");
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2] })] });
  const optimizer: GradstepOptimizer = adam();
  model.compile({ optimizer, loss: "meanSquaredError" });
  await model.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs: 2, verbose: 0 });
  const before = tf.memory().numTensors;
  const weights = await optimizer.getWeights();
  expect(weights.map(({ name }) => name.replace(/^.*\/(?=\w+\/)/, ""))).toEqual([
    "iter",
    "kernel/m",
    "bias/m",
    "kernel/v",
    "bias/v",
  ]);
  const { tensor } = weights[1];
  expect(tensor.shape).toEqual([2, 1]);
  const values = Array.from(tensor.dataSync());
  expect(await tensor.array()).toEqual(values.map((value) => [value]));
  const doubled = tf.tidy(() => Array.from(tf.add(tensor, tensor).dataSync()));
  expect(doubled).toEqual(values.map((value) => 2 * value));
  const copy = tensor.clone();
  expect(Array.from(copy.dataSync())).toEqual(values);
  copy.dispose();
  tf.dispose(weights.map((weight) => weight.tensor));
  expect(tf.memory().numTensors).toBe(before);
  expect(() => tensor.dataSync()).toThrow(/disposed/);
});
