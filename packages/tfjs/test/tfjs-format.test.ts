import { createOptimizer } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { adam, GradstepOptimizer, readTfjs, tfjsFormat } from "../src/index.js";
import { distance, load, network, paper, steps, throughJson } from "./saved-models.js";
import { artifactsOf, backends, codeOf, layers, tf, weightsOf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe.each(sampled(backends, 1))("N + N steps are 2N steps, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test.each([
    ["gradstep's own form", (handler: tf.io.IOHandler) => handler, () => adam({ use_ema: true })],
    ["TF.js's form", tfjsFormat, paper],
  ])("bit for bit, through model.save and loadLayersModel: %s", async (_, format, make) => {
    const whole = network(make());
    await steps(whole, 4);
    await steps(whole, 4);
    const first = network(make());
    await steps(first, 4);
    let kept: tf.io.ModelArtifacts | undefined;
    const file = tf.io.withSaveHandler(async (artifacts) => {
      kept = throughJson(artifacts);
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    });
    await first.save(format(file), { includeOptimizer: true });
    const second = await layers.loadLayersModel(format(tf.io.fromMemory(kept!)));
    expect(second.optimizer).toBeInstanceOf(GradstepOptimizer);
    await steps(second, 4);
    expect(weightsOf(second)).toEqual(weightsOf(whole));
  });
});

describe("tfjsFormat", () => {
  test("plain TF.js goes on with what was saved", async () => {
    const model = network(paper());
    // A variable that is not trained at first: TF.js assigns moments by position.
    model.layers[0].trainable = false;
    model.compile({ optimizer: model.optimizer, loss: "meanSquaredError" });
    await steps(model, 5);
    model.layers[0].trainable = true;
    model.compile({ optimizer: model.optimizer, loss: "meanSquaredError" });
    let kept: tf.io.ModelArtifacts | undefined;
    const file = tf.io.withSaveHandler(async (artifacts) => {
      kept = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    });
    await model.save(tfjsFormat(file), { includeOptimizer: true });
    const plain = await load(kept!);
    expect(plain.optimizer).toBeInstanceOf(tf.AdamOptimizer);
    expect(plain.optimizer.getConfig()).toEqual({
      learningRate: 0.002,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
    });
    const values = weightsOf(model);
    expect(weightsOf(plain)).toEqual(values);
    await steps(plain, 10);
    await steps(model, 10);
    const expected = Object.fromEntries(weightsOf(model).map((one, i) => [String(i), one]));
    expect(distance(plain, expected)).toBeLessThan(1e-6);
  });

  test("a model without its optimizer, or with another one of TF.js's, is saved as it is", async () => {
    const model = network(tf.train.adam(0.1));
    await steps(model, 1);
    for (const includeOptimizer of [false, true]) {
      let [direct, converted]: (tf.io.ModelArtifacts | undefined)[] = [];
      const result = { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
      const into = (take: (artifacts: tf.io.ModelArtifacts) => void): tf.io.IOHandler =>
        tf.io.withSaveHandler(async (artifacts) => {
          take(artifacts);
          return result as tf.io.SaveResult;
        });
      await model.save(
        into((one) => (direct = one)),
        { includeOptimizer },
      );
      await model.save(tfjsFormat(into((one) => (converted = one))), { includeOptimizer });
      expect(converted).toEqual(direct);
    }
  });

  test("what TF.js cannot do is UNSUPPORTED, and nothing is saved", async () => {
    const model = network(adam({}, { groups: [{ match: /bias/, beta1: 0.5 }] }));
    await steps(model, 1);
    let isSaved = false;
    const file = tf.io.withSaveHandler(async () => {
      isSaved = true;
      throw new Error("not reached");
    });
    const save = (): Promise<unknown> => model.save(tfjsFormat(file), { includeOptimizer: true });
    expect(await codeOf(save)).toBe("UNSUPPORTED");
    await expect(save()).rejects.toThrow(/group 0 has beta1.*epsilonMode is "keras"/);
    expect(isSaved).toBe(false);
    expect(await codeOf(() => tfjsFormat("nowhere://x").load!())).toBe("UNSUPPORTED");
    expect(await codeOf(() => tfjsFormat(file).load!())).toBe("UNSUPPORTED");
  });

  test("leaks no tensor", async () => {
    const model = network(paper());
    await steps(model, 1);
    const artifacts = await artifactsOf(model);
    const before = tf.memory().numTensors;
    await tfjsFormat(tf.io.withSaveHandler(async () => ({}) as tf.io.SaveResult)).save!(artifacts);
    await readTfjs(artifacts);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("readTfjs of a model that gradstep saved", () => {
  test("with groups, options and averages", async () => {
    const make = (): GradstepOptimizer =>
      adam(
        { learningRate: 0.05, use_ema: true },
        { accumulate: 2, groups: [{ match: /bias/, learningRate: 0.1 }] },
      );
    const model = network(make());
    await steps(model, 5);
    const { spec, parameters, state } = await readTfjs(await artifactsOf(model));
    const own = await (model.optimizer as GradstepOptimizer).state();
    expect(state.iterations).toBe(2);
    expect(state.control!.microSteps).toBe(1);
    expect(Object.values(state.slots)).toEqual(Object.values(own.slots));
    const backend = cpuJs();
    const optimizer = createOptimizer(
      spec,
      Object.fromEntries(
        Object.entries(parameters).map(([key, { shape, values }]) => [
          key,
          backend.tensor(shape, values),
        ]),
      ),
    );
    optimizer.restore(state);
    expect(optimizer.microSteps).toBe(1);
    expect(optimizer.groups[0].parameters).toHaveLength(2);
    expect(optimizer.groups[0]["learningRate"]).toBe(0.1);
  });

  test("before the first step", async () => {
    const { parameters, state } = await readTfjs(await artifactsOf(network(paper())));
    expect(Object.keys(parameters)).toHaveLength(6);
    expect(state.iterations).toBe(0);
    expect(Object.keys(state.slots)).toEqual(Object.keys(parameters));
  });
});
