import { adam as adamRule, adamw, cosineDecay, sgd as sgdRule } from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { adam, fromTfjsOptimizer, tfOptimizer, toTfjsOptimizer } from "../src/index.js";
import { cases } from "./cases.js";
import { backends, codeOf, numbers, tf, variable } from "./support.js";

const shapes: Readonly<Record<string, readonly number[]>> = {
  "dense/kernel": [5, 4],
  "dense/bias": [4],
  scale: [],
};

afterEach(() => {
  tf.disposeVariables();
});

function makeVariables(): tf.Variable[] {
  return Object.entries(shapes).map(([name, shape], i) =>
    variable(numbers(tf.util.sizeFromShape([...shape]), i + 1), [...shape], name),
  );
}

/** Gradients that depend on the step alone, none of which is near 0: TF.js's centered RMSProp is NaN there. */
function steps(optimizer: tf.Optimizer, first: number, count: number): void {
  for (let i = first; i < first + count; i += 1)
    tf.tidy(() => {
      optimizer.applyGradients(
        Object.entries(shapes).map(([name, shape], k) => ({
          name,
          tensor: tf.tensor(
            numbers(tf.util.sizeFromShape([...shape]), 100 * i + k).map((g) => g + Math.sign(g)),
            [...shape],
          ),
        })),
      );
    });
}

const valuesOf = (variables: readonly tf.Variable[]): Float32Array[] =>
  variables.map((one) => one.dataSync<"float32">().slice());

function assign(variables: readonly tf.Variable[], values: readonly Float32Array[]): void {
  variables.forEach((one, i) => {
    tf.tidy(() => {
      one.assign(tf.tensor(values[i].slice(), one.shape));
    });
  });
}

/** The largest difference of a tensor, relative to its largest value. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return Math.max(
    ...a.map((values, i) => {
      const differences = values.map((value, k) => Math.abs(value - b[i][k]));
      return Math.max(...differences) / Math.max(...b[i].map(Math.abs));
    }),
  );
}

const centered: (typeof cases)[number] = [
  "rmsprop",
  { learningRate: 0.001, momentum: 0.5, centered: true },
  () => tf.train.rmsprop(0.001, 0.9, 0.5, null as never, true),
];

describe.each(backends)("the next 10 steps of TF.js's own, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test.each([...cases, centered])("from TF.js: %s %j", async (name, settings, make) => {
    const variables = makeVariables();
    const theirs = make();
    steps(theirs, 0, 7);
    const start = valuesOf(variables);
    const tensors = tf.memory().numTensors;
    const ours = await fromTfjsOptimizer(theirs);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(ours.iterations).toBe(7);
    steps(theirs, 7, 10);
    const expected = valuesOf(variables);
    assign(variables, start);
    steps(ours, 7, 10);
    expect(distance(valuesOf(variables), expected)).toBeLessThan(1e-6);
    expect(distance(start, expected)).toBeGreaterThan(1e-4);
    assign(variables, start);
    steps(tfOptimizer(fromTfjs(name, settings)), 7, 10);
    // Both averages of TF.js's Adadelta are equal in every step, so that their quotient is 1.
    const dependsOnState = name !== "sgd" && name !== "adadelta";
    expect(distance(valuesOf(variables), expected) > 1e-6).toBe(dependsOnState);
    theirs.dispose();
    ours.dispose();
  });

  test.each([...cases, centered])("to TF.js: %s %j", async (name, settings, make) => {
    const variables = makeVariables();
    const ours = tfOptimizer(fromTfjs(name, settings));
    steps(ours, 0, 7);
    const start = valuesOf(variables);
    const theirs = await toTfjsOptimizer(ours);
    expect(theirs.constructor).toBe(make().constructor);
    expect(theirs.getConfig()).toEqual(make().getConfig());
    expect(theirs.iterations).toBe(7);
    steps(theirs, 7, 10);
    const got = valuesOf(variables);
    assign(variables, start);
    steps(ours, 7, 10);
    const expected = valuesOf(variables);
    expect(distance(got, expected)).toBeLessThan(1e-6);
    expect(distance(start, expected)).toBeGreaterThan(1e-4);
    ours.dispose();
    theirs.dispose();
  });

  test("there and back: the state has the same bits", async () => {
    makeVariables();
    for (const [name, settings] of [...cases, centered]) {
      const ours = tfOptimizer(fromTfjs(name, settings));
      steps(ours, 0, 3);
      const back = await fromTfjsOptimizer(await toTfjsOptimizer(ours));
      const [state, again] = [await ours.state(), await back.state()];
      expect(again.iterations).toBe(3);
      expect(again.slots).toEqual(name === "sgd" ? {} : state.slots);
    }
  });
});

describe("what cannot be converted", () => {
  beforeEach(async () => {
    await tf.setBackend("cpu");
  });

  test("is UNSUPPORTED: Keras's ε, other rules, schedules, groups", async () => {
    const keras = adam();
    expect(await codeOf(() => toTfjsOptimizer(keras))).toBe("UNSUPPORTED");
    await expect(toTfjsOptimizer(keras)).rejects.toThrow(
      /epsilonMode is "keras", and "paper" in TF\.js.*fromTfjs\("adam"/,
    );
    for (const one of [
      tfOptimizer(adamw()),
      tfOptimizer(sgdRule({ learningRate: cosineDecay(0.1, 5) })),
      tfOptimizer(sgdRule(), { groups: [{ match: "a", learningRate: 1 }] }),
      tfOptimizer(adamRule({ epsilonMode: "paper" }), { accumulate: 2 }),
    ])
      expect(await codeOf(() => toTfjsOptimizer(one))).toBe("UNSUPPORTED");
  });

  test("an optimizer of gradstep is not one of TF.js's own, nor is a class of the user's", async () => {
    expect(await codeOf(() => fromTfjsOptimizer(adam()))).toBe("UNSUPPORTED");
    class Own extends tf.SGDOptimizer {
      static override get className(): string {
        return "Own";
      }
    }
    expect(await codeOf(() => fromTfjsOptimizer(new Own(0.1)))).toBe("UNSUPPORTED");
  });
});

test("rates that were set and have no effect in TF.js have none here", async () => {
  await tf.setBackend("cpu");
  const theirs = tf.train.momentum(0.1, 0.9) as tf.MomentumOptimizer & { learningRate: number };
  // TF.js's SGD and momentum ignore both.
  theirs.learningRate = 0.5;
  theirs.setMomentum(0.1);
  const ours = (await fromTfjsOptimizer(theirs)) as unknown as Record<string, number>;
  expect([Math.fround(ours["learningRate"]), Math.fround(ours["momentum"])]).toEqual([
    Math.fround(0.1),
    Math.fround(0.9),
  ]);
});

test("an optimizer of TF.js whose weights cannot be set is disposed of", async () => {
  const ours = adam();
  const v = variable([1, 2], [2], "v");
  ours.applyGradients({ v: tf.tensor([1, 1]) });
  const setting = vi.spyOn(tf.AdamOptimizer.prototype, "setWeights");
  const disposing = vi.spyOn(tf.AdamOptimizer.prototype, "dispose");
  setting.mockRejectedValue(new Error("no memory"));
  await expect(toTfjsOptimizer(tfOptimizer(fromTfjs("adam")))).rejects.toThrow("no memory");
  expect(disposing).toHaveBeenCalledOnce();
  setting.mockRestore();
  disposing.mockRestore();
  ours.dispose();
  v.dispose();
});
