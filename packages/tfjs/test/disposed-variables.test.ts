import { adam, sgd } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { collectGarbage, collectNow } from "./garbage.js";
import { artifactsOf, backends, fit, layers, numbers, tf, variable } from "./support.js";

afterEach(() => {
  tf.disposeVariables();
});

const slotNames = async (optimizer: tf.Optimizer): Promise<string[]> =>
  (await optimizer.getWeights()).slice(1).map(({ name }) => name);

describe.each([...backends])("state of variables that were disposed of, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test("is removed in the next step, and not saved as long as there are others", async () => {
    const optimizer = adam();
    const a = variable([1], [1], "a");
    variable([1], [1], "b");
    optimizer.applyGradients({ a: tf.ones([1]), b: tf.ones([1]) });
    a.dispose();
    expect(await slotNames(optimizer)).toEqual(["b/m", "b/v"]);
    optimizer.applyGradients({ b: tf.ones([1]) });
    variable([1], [1], "a");
    optimizer.applyGradients({ a: tf.zeros([1]) });
    // No moments are left from the first `a`.
    expect(tf.engine().registeredVariables["a"].dataSync()[0]).toBe(1);
  });

  test("is still saved where all variables are gone", async () => {
    const optimizer = adam();
    variable([1], [1], "a");
    optimizer.applyGradients({ a: tf.ones([1]) });
    tf.disposeVariables();
    expect(await slotNames(optimizer)).toEqual(["a/m", "a/v"]);
  });

  test("a variable of the same name and shape continues, to the bit", () => {
    const run = (recreate: boolean): number[] => {
      const optimizer = adam({ learningRate: 0.1 });
      let v = variable(numbers(9, 1), [9], "v");
      for (let i = 0; i < 6; i += 1) {
        if (recreate) {
          const values = v.dataSync<"float32">().slice();
          v.dispose();
          v = variable(values, [9], "v");
        }
        const gradient = tf.tensor(numbers(9, i + 2));
        optimizer.applyGradients({ v: gradient });
        gradient.dispose();
      }
      const result = Array.from(v.dataSync());
      v.dispose();
      optimizer.dispose();
      return result;
    };
    expect(run(true)).toEqual(run(false));
  });

  test("is kept while its variable is created again and others are stepped first", () => {
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    const a = variable([0], [1], "a");
    variable([0], [1], "b");
    optimizer.applyGradients({ a: tf.ones([1]), b: tf.ones([1]) });
    a.dispose();
    const again = variable([0], [1], "a");
    optimizer.applyGradients({ b: tf.ones([1]) });
    optimizer.applyGradients({ a: tf.ones([1]) });
    expect([...again.dataSync()]).toEqual([-1.5]);
  });

  test("a rule without state takes a variable of the same name in any shape", () => {
    const optimizer = sgd({ learningRate: 0.1 });
    for (const size of [2, 3, 2]) {
      const w = tf.tidy(() => tf.variable(tf.ones([size]), true, "w"));
      optimizer.minimize(() => tf.sum(tf.square(w)));
      for (const value of w.dataSync()) expect(value).toBeCloseTo(0.8, 6);
      w.dispose();
    }
    const [first, second] = [variable([1], [1], "w"), 0.8];
    first.dispose();
    variable([1, 1], [2], "w");
    optimizer.minimize(() => tf.sum(tf.square(tf.engine().registeredVariables["w"])));
    expect(tf.engine().registeredVariables["w"].dataSync()[1]).toBeCloseTo(second, 6);
  });

  test("a checkpoint of the tenth model of one optimizer has the state of that model alone", async () => {
    const optimizer = adam();
    const data = { x: tf.ones([4, 2]), y: tf.ones([4, 1]) };
    for (let fold = 0; fold < 10; fold += 1) {
      const model = layers.sequential({
        layers: [layers.layers.dense({ name: `fold-${backend}`, units: 1, inputShape: [2] })],
      });
      model.compile({ optimizer, loss: "meanSquaredError" });
      await fit(model, data, 1);
      const { weightSpecs } = await artifactsOf(model);
      // Two weights of the model, iter, two slots each.
      expect(weightSpecs).toHaveLength(2 + 1 + 4);
      model.dispose();
    }
    tf.dispose(data);
  });
});

slowTest("cpu: arrays of gradients and of former values are not kept between steps", async () => {
  await tf.setBackend("cpu");
  const optimizer = sgd({ learningRate: 1 });
  const v = variable(numbers(1000, 1), [1000], "v");
  const arrayOf = (tensor: tf.Tensor): Float32Array => {
    const { data } = tf.backend() as unknown as { data: { get(id: object): { values: never } } };
    return data.get(tensor.dataId).values;
  };
  const step = (): WeakRef<ArrayBufferLike>[] => {
    const before = new WeakRef(arrayOf(v).buffer);
    const gradient = tf.fill([1000], 2);
    const ofGradient = new WeakRef(arrayOf(gradient).buffer);
    optimizer.applyGradients({ v: gradient });
    gradient.dispose();
    return [before, ofGradient];
  };
  const kept = step();
  await collectGarbage();
  expect(kept.map((one) => one.deref())).toEqual([undefined, undefined]);
  const values = ((): WeakRef<ArrayBufferLike> => new WeakRef(arrayOf(v).buffer))();
  step();
  v.dispose();
  await collectGarbage();
  expect(values.deref()).toBeUndefined();
  expect(optimizer.iterations).toBe(2);
});

test.each(sampled([...backends], 1))(
  "%s: memory of dropped optimizers is collected in a loop that never leaves the microtask queue",
  async (backend) => {
    await tf.setBackend(backend);
    const size = 100_000;
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i += 1) {
      const v = variable(new Float32Array(size), [size], `dropped-${backend}-${i}`);
      const gradient = tf.fill([size], 1);
      adam().applyGradients({ [v.name]: gradient });
      tf.dispose([v, gradient]);
      await Promise.resolve();
      if (i % 10 === 9) collectNow();
    }
    // 0.8 MB of state per optimizer, of which 80 MB would be kept.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40e6);
  },
);
