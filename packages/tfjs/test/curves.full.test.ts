import { fromTfjs } from "@gradstep/core/interop";
import { tfOptimizer } from "../src/index.js";
import { describe, expect, test } from "vitest";
import { cases } from "./cases.js";
import { backends, classifier, fit, numbers, samples, tf, variable } from "./support.js";

describe.each(backends)("200 steps with the numbers of TF.js's own: %s", (backend) => {
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

// Separate, because TF.js takes the root of v − a² − ε, which is NaN where gradients are small.
test.each(backends)(
  "200 steps with the numbers of TF.js's centered RMSprop, %s",
  async (backend) => {
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
  },
);
