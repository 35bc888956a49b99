import { fromTfjs } from "@gradstep/core/interop";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { adam, tfOptimizer, type GradstepOptimizer } from "../src/index.js";
import { copyOf, gradient, stepped } from "./optimizer-weights.js";
import { classifier, codeOf, fit, samples, tf, variable, type layers } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("getWeights and setWeights", () => {
  test("before the first step there is only iter, a scalar int32", async () => {
    const weights = await adam().getWeights();
    expect(weights.map(({ name, tensor }) => [name, tensor.dtype, tensor.shape])).toEqual([
      ["iter", "int32", []],
    ]);
    expect([...weights[0].tensor.dataSync()]).toEqual([0]);
  });

  test("getWeights returns what setWeights was given, before any step", async () => {
    const weights = await stepped();
    const optimizer = adam();
    await optimizer.setWeights(weights);
    expect(optimizer.iterations).toBe(1);
    const again = await optimizer.getWeights();
    expect(again.map(({ name, tensor }) => [name, ...tensor.dataSync()])).toEqual(
      weights.map(({ name, tensor }) => [name, ...tensor.dataSync()]),
    );
  });

  test("a snapshot: later steps do not change it, and it can be restored", async () => {
    variable([1, 1], [2], "a");
    const optimizer = adam();
    optimizer.applyGradients({ a: gradient(1, 2) });
    const weights = await optimizer.getWeights();
    const before = Array.from(weights[1].tensor.dataSync());
    optimizer.applyGradients({ a: gradient(5, 5) });
    expect(Array.from(weights[1].tensor.dataSync())).toEqual(before);
    await optimizer.setWeights(weights);
    expect(optimizer.iterations).toBe(1);
    expect(Array.from((await optimizer.getWeights())[1].tensor.dataSync())).toEqual(before);
  });

  test("the step count of a group whose `every` was set is saved", async () => {
    const run = async (
      next: (first: GradstepOptimizer) => Promise<GradstepOptimizer>,
    ): Promise<number[]> => {
      const v = variable([1, 1], [2], "v");
      const first = adam({ learningRate: 0.1 }, { groups: [{ match: "v" }] });
      for (let i = 0; i < 4; i += 1) first.applyGradients({ v: gradient(1, i) });
      first.groups[0].every = 3;
      const optimizer = await next(first);
      for (let i = 0; i < 5; i += 1) optimizer.applyGradients({ v: gradient(2, -i) });
      const values = Array.from(v.dataSync());
      tf.disposeVariables();
      return [optimizer.iterations, optimizer.groups[0].iterations, ...values];
    };
    const expected = await run(async (first) => first);
    expect(expected.slice(0, 2)).toEqual([9, 6]);
    const resume = async (first: GradstepOptimizer): Promise<GradstepOptimizer> => {
      const resumed = adam({ learningRate: 0.1 }, { groups: [{ match: "v", every: 3 }] });
      const weights = await copyOf(await first.getWeights());
      await resumed.setWeights(weights);
      expect(await codeOf(() => adam().setWeights(weights))).toBe("STATE_MISMATCH");
      return resumed;
    };
    expect(await run(resume)).toEqual(expected);
  });

  test("the state of variables that are missing is kept", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1], [1], "b");
    variable([1], [1], "c");
    optimizer.applyGradients({ b: gradient(1), c: gradient(1) });
    const weights = await optimizer.getWeights();
    expect(weights.map(({ name }) => name)).toEqual([
      "iter",
      "a/m",
      "b/m",
      "c/m",
      "a/v",
      "b/v",
      "c/v",
    ]);
    expect(weights[1].tensor.dataSync()[1]).toBeCloseTo(-0.2, 6);
    expect(weights[2].tensor.dataSync()[0]).toBeCloseTo(0.3 * 0.9 + 0.1, 6);
  });

  test("names that TF.js numbered to make them unique find their state", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1], [1], "b_7");
    variable([1, 1], [2], "a_12");
    optimizer.applyGradients({ b_7: gradient(0), a_12: gradient(0, 0) });
    const [, a, b] = await optimizer.getWeights();
    expect(a.tensor.dataSync()[1]).toBeCloseTo(-0.18, 6);
    expect(b.tensor.dataSync()[0]).toBeCloseTo(0.27, 6);
  });

  test("without a known name, state is assigned by position if all shapes agree; otherwise it is an error", async () => {
    const weights = await stepped();
    const fits = adam();
    await fits.setWeights(weights);
    variable([1, 1], [2], "x");
    variable([1], [1], "y");
    fits.applyGradients({ x: gradient(0, 0), y: gradient(0) });
    expect((await fits.getWeights())[2].tensor.dataSync()[0]).toBeCloseTo(0.27, 6);

    const differs = adam();
    await differs.setWeights(weights);
    const act = (): void => differs.applyGradients({ y: gradient(0), x: gradient(0, 0) });
    expect(await codeOf(act)).toBe("STATE_MISMATCH");
    expect(differs.iterations).toBe(1);
  });

  test("variables without names are matched in order, whatever their numbers", async () => {
    const first = [variable([1, 1], [2]), variable([1], [1])];
    const optimizer = adam();
    optimizer.applyGradients({ [first[0].name]: gradient(1, 2), [first[1].name]: gradient(3) });
    const weights = await copyOf(await optimizer.getWeights());
    // In another process the numbers differ; here the second variable has the number that the first had.
    const shifted = weights.map(({ name, tensor }) => ({
      name: name.replace(/^\d+/, (number) => String(Number(number) + 1)),
      tensor,
    }));
    const resumed = adam();
    await resumed.setWeights(shifted);
    resumed.applyGradients({
      [first[0].name]: gradient(0, 0),
      [first[1].name]: gradient(0),
    });
    const [, a, b] = await resumed.getWeights();
    expect(Array.from(a.tensor.dataSync())[1]).toBeCloseTo(0.18, 6);
    expect(Array.from(b.tensor.dataSync())[0]).toBeCloseTo(0.27, 6);
    variable([1], [1]);
    const unclear = adam();
    await unclear.setWeights(shifted);
    const alone = variable([1], [1]);
    expect(await codeOf(() => unclear.applyGradients({ [alone.name]: gradient(1) }))).toBe(
      "STATE_MISMATCH",
    );
  });
});

const compileWith = (model: layers.LayersModel, optimizer: tf.Optimizer): void =>
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });

describe("checkpoints of TF.js's own optimizers", () => {
  const kinds: [string, Record<string, unknown>, () => tf.Optimizer][] = [
    ["adam", { learningRate: 0.01 }, () => tf.train.adam(0.01)],
    ["momentum", { learningRate: 0.1, momentum: 0.9 }, () => tf.train.momentum(0.1, 0.9)],
    ["momentum", { learningRate: 0.1, momentum: 0 }, () => tf.train.momentum(0.1, 0)],
    ["adagrad", { learningRate: 0.1 }, () => tf.train.adagrad(0.1)],
    ["rmsprop", { learningRate: 0.01 }, () => tf.train.rmsprop(0.01)],
    ["sgd", { learningRate: 0.1 }, () => tf.train.sgd(0.1)],
  ];
  test.each(sampled(kinds, 2))("are read: %s", async (name, settings, theirs) => {
    const data = samples();
    const run = async (next: () => tf.Optimizer): Promise<number[]> => {
      const model = classifier();
      const first = theirs();
      compileWith(model, first);
      await fit(model, data, 2);
      const second = next();
      await second.setWeights(await copyOf(await first.getWeights()));
      compileWith(model, second);
      return fit(model, data, 2);
    };
    const expected = await run(theirs);
    const got = await run(() => tfOptimizer(fromTfjs(name, settings)));
    got.forEach((loss, i) => expect(Math.abs(loss - expected[i])).toBeLessThan(1e-5));
  });
});
