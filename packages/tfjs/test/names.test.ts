import { adam, adamw, sgd } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { classifier, codeOf, fit, samples, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

const ones = (length: number): tf.Tensor => tf.ones([length]);

describe("state is keyed by name", () => {
  test("order does not matter", () => {
    const values = (orders: readonly string[][]): number[][] => {
      const variables = { a: variable([1, 1], [2], "a"), b: variable([1, 1], [2], "b") };
      const gradients: tf.NamedTensorMap = { a: tf.tensor([1, -1]), b: tf.tensor([100, 50]) };
      const optimizer = adam({ learningRate: 0.1 });
      for (const order of orders)
        optimizer.applyGradients(order.map((name) => ({ name, tensor: gradients[name] })));
      const result = [[...variables.a.dataSync()], [...variables.b.dataSync()]];
      tf.disposeVariables();
      return result;
    };
    const straight = values([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(
      values([
        ["a", "b"],
        ["b", "a"],
        ["a", "b"],
      ]),
    ).toEqual(straight);
  });

  // https://github.com/tensorflow/tfjs/issues/4290
  test("a variable that is missing in a step does not shift the others; TF.js mixes up their moments", () => {
    const run = (optimizer: tf.Optimizer): number => {
      variable([0, 0], [2], "a");
      const b = variable([0, 0], [2], "b");
      optimizer.applyGradients({ a: tf.tensor([1000, 1000]), b: tf.tensor([1, 1]) });
      optimizer.applyGradients({ b: tf.tensor([1, 1]) });
      const value = b.dataSync()[0];
      tf.disposeVariables();
      return value;
    };
    // With a constant gradient each step of Adam is the learning rate.
    expect(run(adam({ learningRate: 0.1, epsilon: 0 }))).toBeCloseTo(-0.2, 4);
    expect(run(tf.train.adam(0.1))).not.toBeCloseTo(-0.2, 2);
  });

  test("a layer is frozen and unfrozen, with shapes that TF.js fails on", async () => {
    const data = samples(16);
    const train = async (optimizer: tf.Optimizer): Promise<number[]> => {
      const model = classifier();
      const compile = (): void => {
        model.compile({ optimizer, loss: "categoricalCrossentropy" });
      };
      compile();
      await fit(model, data, 1);
      model.layers[0].trainable = false;
      compile();
      const kernel = (): number[] => Array.from(model.layers[0].getWeights()[0].dataSync());
      const frozen = kernel();
      const losses = await fit(model, data, 1);
      expect(kernel()).toEqual(frozen);
      model.layers[0].trainable = true;
      compile();
      return [...losses, ...(await fit(model, data, 1))];
    };
    const losses = await train(adam({ learningRate: 0.01 }));
    expect(losses.every(Number.isFinite)).toBe(true);
    await expect(train(tf.train.adam(0.01))).rejects.toThrow(/shape/);
  });

  test("variables may come after the first step", () => {
    const a = variable([1], [1], "a");
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    optimizer.applyGradients({ a: ones(1) });
    const b = variable([1, 1], [2], "b");
    optimizer.applyGradients({ b: ones(2), a: ones(1) });
    expect([...a.dataSync()]).toEqual([1 - 1 - 1.5]);
    expect([...b.dataSync()]).toEqual([0, 0]);
    expect(optimizer.iterations).toBe(2);
  });

  test("gradients that are null or undefined are skipped", () => {
    const a = variable([1], [1], "a");
    const b = variable([1], [1], "b");
    const optimizer = sgd({ learningRate: 1 });
    optimizer.applyGradients({ a: ones(1), b: null as never });
    optimizer.applyGradients([
      { name: "b", tensor: undefined as never },
      { name: "a", tensor: ones(1) },
    ]);
    expect([...a.dataSync(), ...b.dataSync()]).toEqual([-1, 1]);
  });

  test("a variable that is created again continues with the same shape; another shape is an error", async () => {
    const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
    variable([0], [1], "a");
    optimizer.applyGradients({ a: ones(1) });
    tf.disposeVariables();
    const again = variable([0], [1], "a");
    optimizer.applyGradients({ a: ones(1) });
    expect([...again.dataSync()]).toEqual([-1.5]);
    tf.disposeVariables();

    const other = variable([0, 0], [2], "a");
    expect(await codeOf(() => optimizer.applyGradients({ a: ones(2) }))).toBe("STATE_MISMATCH");
    expect([...other.dataSync()]).toEqual([0, 0]);
    expect(optimizer.iterations).toBe(2);
  });
});

describe("groups", () => {
  test("override hyperparameters by name, also of variables that come later, and can be set between steps", () => {
    const a = variable([1], [1], "a/kernel");
    const optimizer = sgd(
      { learningRate: 1, weightDecay: 0.5 },
      { groups: [{ match: /bias/, weightDecay: 0, learningRate: 0.25 }] },
    );
    optimizer.applyGradients({ "a/kernel": ones(1) });
    expect([...a.dataSync()]).toEqual([-0.5]);
    const bias = variable([1], [1], "a/bias");
    optimizer.applyGradients({ "a/bias": ones(1) });
    expect([...bias.dataSync()]).toEqual([0.75]);
    optimizer.groups[0]["learningRate"] = 0.5;
    optimizer.applyGradients({ "a/bias": ones(1) });
    expect([...bias.dataSync()]).toEqual([0.25]);
  });
});

describe("hyperparameters", () => {
  test("are read and set between steps", async () => {
    const optimizer = adam({ learningRate: 0.5, beta1: 0 });
    const a = variable([0], [1], "a");
    optimizer.applyGradients({ a: ones(1) });
    expect(a.dataSync()[0]).toBeCloseTo(-0.5, 5);
    optimizer.learningRate = 0.25;
    expect(optimizer.learningRate).toBe(0.25);
    optimizer.applyGradients({ a: ones(1) });
    expect(a.dataSync()[0]).toBeCloseTo(-0.75, 5);
    optimizer.setLearningRate(0);
    optimizer.applyGradients({ a: ones(1) });
    expect(a.dataSync()[0]).toBeCloseTo(-0.75, 5);
    expect(optimizer.beta2).toBe(0.999);
    expect(
      await codeOf(() => {
        optimizer.beta1 = 1.5;
      }),
    ).toBe("INVALID_HYPERPARAMETER");
    expect(optimizer.beta1).toBe(0);
  });

  test("AdamW, which TF.js does not have", () => {
    const v = variable([1], [1], "v");
    adamw({ learningRate: 0.5, weightDecay: 0.5 }).applyGradients({ v: tf.zeros([1]) });
    expect([...v.dataSync()]).toEqual([0.75]);
    expect("adamw" in tf.train).toBe(false);
  });

  test("the learning rate of SGD can be set between steps; TF.js ignores the assignment", () => {
    const run = (optimizer: tf.Optimizer): number => {
      const v = variable([1], [1], "v");
      (optimizer as unknown as { learningRate: number }).learningRate = 0.25;
      optimizer.applyGradients({ v: ones(1) });
      const value = v.dataSync()[0];
      v.dispose();
      return value;
    };
    expect(run(sgd({ learningRate: 0.5 }))).toBe(0.75);
    expect(run(tf.train.sgd(0.5))).toBe(0.5);
  });

  test("momentum can be set between steps; TF.js ignores the assignment", () => {
    const run = (optimizer: tf.Optimizer): number => {
      const v = variable([0], [1], "v");
      optimizer.applyGradients({ v: ones(1) });
      (optimizer as unknown as { momentum: number }).momentum = 0;
      optimizer.applyGradients({ v: ones(1) });
      const value = v.dataSync()[0];
      v.dispose();
      return value;
    };
    expect(run(sgd({ learningRate: 1, momentum: 0.5 }))).toBe(-2);
    expect(run(tf.train.momentum(1, 0.5))).toBe(-2.5);
  });
});
