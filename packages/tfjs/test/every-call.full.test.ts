import * as core from "@gradstep/core";
import * as tfjs from "../src/index.js";
import { register, unregister } from "../src/register.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revoked, wrongValues } from "../../../testing/wrong-values.js";
import { artifactsOf, fit, layers, tf, variable } from "./support.js";

function disposed(): tf.Tensor {
  const tensor = tf.ones([2]);
  tensor.dispose();
  return tensor;
}

const values: readonly (readonly [string, () => unknown])[] = [
  // Functions are what several calls expect: TF.js calls them, and the errors are its own.
  ...wrongValues.filter(([what]) => !what.includes("function")),
  ["a list of symbols", () => [Symbol("s")]],
  ["a tensor", () => tf.ones([2])],
  ["a tensor that was disposed of", disposed],
  ["a list of tensors", () => [tf.ones([2])]],
  ["a table of null", () => ({ w: null })],
  ["a table of numbers", () => ({ w: 1 })],
  ["a table of revoked proxies", () => ({ w: revoked({}) })],
  ["a named number", () => [{ name: "w", tensor: 1 }]],
  ["a named revoked proxy", () => [{ name: "w", tensor: revoked({}) }]],
  ["a tensor with a symbol as its name", () => [{ name: Symbol("s"), tensor: tf.ones([2]) }]],
  ["an optimizer", () => tfjs.adam()],
  ["an optimizer of TF.js", () => new tf.AdamOptimizer(0.1, 0.9, 0.999)],
  ["a rule", () => core.adam()],
];

type Call = (...args: unknown[]) => unknown;

/** What fails with something else than a GradstepError. */
async function failuresOf(label: string, call: Call, most: number): Promise<string[]> {
  const failures: string[] = [];
  for (const [what, make] of values)
    for (let length = 1; length <= most; length += 1)
      for (let at = 0; at < length; at += 1) {
        const args = Array.from({ length }, (_, i) => (i === at ? make() : {}));
        try {
          await call(...args);
        } catch (error) {
          if (error instanceof core.GradstepError) continue;
          failures.push(`${label}, ${what} at ${at} of ${length}: ${String(error)}`);
        }
      }
  return failures;
}

let artifacts: tf.io.ModelArtifacts;

beforeAll(async () => {
  await tf.setBackend("cpu");
  variable([1, 2], [2], "w");
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2] })] });
  const optimizer = new tf.AdamOptimizer(0.1, 0.9, 0.999);
  model.compile({ optimizer, loss: "meanSquaredError" });
  await fit(model, { x: tf.ones([8, 2]), y: tf.ones([8, 1]) }, 1);
  artifacts = await artifactsOf(model);
});

afterAll(() => {
  unregister();
  tf.disposeVariables();
});

describe("what is called with values of the wrong kind throws an error with a code, or none", () => {
  const exported = Object.entries({ ...tfjs, register }).filter(
    (entry): entry is [string, never] => typeof entry[1] === "function",
  );
  test.each(exported)("%s", async (name, made) => {
    const isClass = name === "GradstepOptimizer";
    const call: Call = (...args) =>
      isClass ? Reflect.construct(made, args) : (made as Call)(...args);
    expect(await failuresOf(name, call, 3)).toEqual([]);
  });

  const optimizers: readonly (readonly [string, () => tfjs.GradstepOptimizer])[] = [
    ["adam", () => tfjs.adam()],
    ["adam with a loss scale", () => tfjs.adam({}, { lossScale: "dynamic", accumulate: 2 })],
    ["tf.train.momentum", () => tf.train.momentum(0.1, 0.9) as unknown as tfjs.GradstepOptimizer],
  ];
  const methods = [
    "applyGradients",
    "minimize",
    "scaleLoss",
    "setLearningRate",
    "restore",
    "setWeights",
    "extractIterations",
    "swap",
    "state",
    "getWeights",
    "setMomentum",
    "dispose",
  ];
  test.each(optimizers)("the methods of %s", async (_, make) => {
    for (const name of methods) {
      const call: Call = (...args) => (make() as unknown as Record<string, Call>)[name]?.(...args);
      // TF.js itself checks the list of variables.
      expect(await failuresOf(name, call, name === "minimize" ? 1 : 2)).toEqual([]);
    }
  });

  test("hyperparameters, also of groups", async () => {
    for (const name of ["learningRate", "beta1", "every", "frozen", "none"]) {
      const set: Call = (value) => {
        const optimizer = tfjs.adam({}, { groups: [{ match: "w" }] });
        Reflect.set(optimizer.groups[0], name, value);
        if (name in optimizer) Reflect.set(optimizer, name, value);
      };
      expect(await failuresOf(name, set, 1)).toEqual([]);
    }
  });

  test("configurations", async () => {
    const { GradstepOptimizer } = tfjs;
    const config = tfjs.adam({}, { groups: [{ match: "w" }], accumulate: 2 }).getConfig();
    const load = (value: unknown): unknown =>
      GradstepOptimizer.fromConfig(GradstepOptimizer, value as never);
    expect(await failuresOf("fromConfig", load, 1)).toEqual([]);
    for (const key of [...Object.keys(config), "structural"])
      expect(
        await failuresOf(key, (value) => load({ ...config, [key]: value as never }), 1),
      ).toEqual([]);
  });

  test("the values of a parameter", async () => {
    const { w } = tf.engine().registeredVariables;
    const write: Call = (value) => tfjs.tfParameters({ w })["w"].write(value as never);
    expect(await failuresOf("write", write, 1)).toEqual([]);
  });

  test("each part of a saved model", async () => {
    for (const key of Object.keys(artifacts)) {
      const changed = (value: unknown): never => ({ ...artifacts, [key]: value }) as never;
      const calls: Record<string, Call> = {
        readTfjs: (value) => tfjs.readTfjs(changed(value)),
        load: (value) => tfjs.tfjsFormat({ load: async () => changed(value) }).load!(),
        save: (value) => tfjs.tfjsFormat({ save: async () => ({}) as never }).save!(changed(value)),
      };
      for (const [name, call] of Object.entries(calls))
        expect(await failuresOf(`${name}, ${key}`, call, 1)).toEqual([]);
    }
  });
});
