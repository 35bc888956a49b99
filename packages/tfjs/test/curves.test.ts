import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "../src/index.js";
import { describe, expect, test } from "vitest";
import { backends, classifier, fit, numbers, samples, tf, variable } from "./support.js";

const cases: [name: string, settings: Record<string, unknown>, theirs: () => tf.Optimizer][] = [
  ["sgd", { learningRate: 0.1 }, () => tf.train.sgd(0.1)],
  ["momentum", { learningRate: 0.05, momentum: 0.9 }, () => tf.train.momentum(0.05, 0.9)],
  [
    "momentum",
    { learningRate: 0.05, momentum: 0.9, useNesterov: true },
    () => tf.train.momentum(0.05, 0.9, true),
  ],
  ["adagrad", { learningRate: 0.05 }, () => tf.train.adagrad(0.05)],
  ["rmsprop", { learningRate: 0.001 }, () => tf.train.rmsprop(0.001)],
  [
    "rmsprop",
    { learningRate: 0.001, decay: 0.8, momentum: 0.5 },
    () => tf.train.rmsprop(0.001, 0.8, 0.5),
  ],
  ["adam", { learningRate: 0.002 }, () => tf.train.adam(0.002)],
  [
    "adam",
    { learningRate: 0.002, beta1: 0.8, beta2: 0.99, epsilon: 1e-3 },
    () => tf.train.adam(0.002, 0.8, 0.99, 1e-3),
  ],
  ["adamax", { learningRate: 0.002 }, () => tf.train.adamax()],
  [
    "adamax",
    { learningRate: 0.002, decay: 0.01 },
    () => tf.train.adamax(0.002, 0.9, 0.999, null as never, 0.01),
  ],
];

describe.each(backends)("200 steps beside TF.js's own optimizers, %s", (backend) => {
  test.each(cases)("%s %j", async (name, settings, theirs) => {
    await tf.setBackend(backend);
    const data = samples();
    const losses = async (optimizer: tf.Optimizer): Promise<number[]> => {
      const model = classifier();
      model.compile({ optimizer, loss: "categoricalCrossentropy" });
      return fit(model, data, 25);
    };
    const expected = await losses(theirs());
    const got = await losses(tfOptimizer(fromTfjs(name, settings)));
    expect(got).toHaveLength(200);
    expect(expected.at(-1)!).toBeLessThan(expected[0]);
    const worst = Math.max(...got.map((loss, i) => Math.abs(loss - expected[i])));
    expect(worst).toBeLessThan(1e-5);
  });
});

// On its own, because TF.js takes the root of v − a² − ε: where gradients are small it is NaN in TF.js, too.
test.each(backends)("200 steps beside TF.js's centered RMSprop, %s", async (backend) => {
  await tf.setBackend(backend);
  const walk = (optimizer: tf.Optimizer): Float32Array => {
    const w = variable(new Float32Array(50), [50], `w-${backend}`);
    for (let step = 0; step < 200; step += 1) {
      const noise = numbers(50, step).map((value) => value + Math.sign(value));
      const gradient = tf.tensor(noise, [50]);
      optimizer.applyGradients({ [w.name]: gradient });
      gradient.dispose();
    }
    const values = w.dataSync<"float32">().slice();
    w.dispose();
    optimizer.dispose();
    return values;
  };
  const expected = walk(tf.train.rmsprop(0.001, 0.9, 0.5, null as never, true));
  const got = walk(
    tfOptimizer(fromTfjs("rmsprop", { learningRate: 0.001, momentum: 0.5, centered: true })),
  );
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
  for (let i = 0; i < 50; i += 1) expect(Math.abs(got[i] - expected[i])).toBeLessThan(1e-5);
});
