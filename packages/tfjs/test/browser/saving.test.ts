import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { fromTfjs } from "@gradstep/core/interop";
import { beforeAll, expect, test } from "vitest";
import { adam, GradstepOptimizer, tfjsFormat, tfOptimizer } from "../../src/index.js";

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend("cpu");
});

function compiled(optimizer: tf.Optimizer): layers.Sequential {
  const kernelInitializer = layers.initializers.glorotUniform({ seed: 5 });
  const model = layers.sequential({
    layers: [layers.layers.dense({ units: 2, inputShape: [3], kernelInitializer })],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

async function steps(model: layers.LayersModel, count: number): Promise<void> {
  const [x, y] = [
    tf.reshape(tf.linspace(-1, 1, 12), [4, 3]),
    tf.reshape(tf.linspace(0, 2, 8), [4, 2]),
  ];
  await model.fit(x, y, { epochs: count, shuffle: false, verbose: 0, yieldEvery: "never" });
}

const weightsOf = (model: layers.LayersModel): number[][] =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));

test.each(["indexeddb://model", "localstorage://model"])(
  "%s: a model goes on bit for bit, in gradstep's form and in TF.js's",
  async (url) => {
    for (const [place, make] of [
      [url, () => adam({ learningRate: 0.02 })],
      [tfjsFormat(url), () => tfOptimizer(fromTfjs("adam", { learningRate: 0.02 }))],
    ] as const) {
      const whole = compiled(make());
      await steps(whole, 6);
      const first = compiled(make());
      await steps(first, 3);
      await first.save(place, { includeOptimizer: true });
      const second = await layers.loadLayersModel(place);
      expect(second.optimizer).toBeInstanceOf(GradstepOptimizer);
      expect(second.optimizer.iterations).toBe(3);
      await steps(second, 3);
      expect(weightsOf(second)).toEqual(weightsOf(whole));
    }
    // What tfjsFormat saved is plain TF.js's.
    const plain = await layers.loadLayersModel(url);
    expect(plain.optimizer).toBeInstanceOf(tf.AdamOptimizer);
    expect(plain.optimizer.iterations).toBe(3);
  },
);
