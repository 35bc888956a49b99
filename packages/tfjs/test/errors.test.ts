import { adam, adamw, GradstepOptimizer, tfOptimizer } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backends, codeOf, layers, tf, variable } from "./support.js";

afterEach(() => {
  tf.disposeVariables();
});

describe.each(backends)("errors, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  const wrong: [what: string, code: string, gradients: () => unknown][] = [
    ["no object", "INVALID_GRADIENT", () => null],
    ["no gradient", "INVALID_GRADIENT", () => ({})],
    [
      "a list that holds null",
      "INVALID_GRADIENT",
      () => [{ name: "w", tensor: tf.ones([2]) }, null],
    ],
    ["only missing gradients", "INVALID_GRADIENT", () => ({ w: null })],
    ["an unknown variable", "UNKNOWN_PARAMETER", () => ({ w: tf.ones([2]), x: tf.ones([2]) })],
    ["another length", "LENGTH_MISMATCH", () => ({ w: tf.ones([3]) })],
    ["another shape", "LENGTH_MISMATCH", () => ({ w: tf.ones([2, 1]) })],
    ["a gradient of integers", "INVALID_GRADIENT", () => ({ w: tf.ones([2], "int32") })],
    ["a variable of integers", "INVALID_PARAMETER", () => ({ n: tf.ones([2]) })],
    ["a plain array", "INVALID_GRADIENT", () => ({ w: new Float32Array(2) })],
    [
      "two gradients for a variable",
      "INVALID_GRADIENT",
      () => [
        { name: "w", tensor: tf.ones([2]) },
        { name: "w", tensor: tf.ones([2]) },
      ],
    ],
    [
      "a disposed gradient",
      "DISPOSED",
      () => {
        const gradient = tf.ones([2]);
        gradient.dispose();
        return { w: gradient };
      },
    ],
    ["a bad one after a good one", "LENGTH_MISMATCH", () => ({ v: tf.ones([2]), w: tf.ones([1]) })],
  ];
  test.each(wrong)("%s is %s and changes nothing", async (_, code, gradients) => {
    const w = variable([1, 2], [2], "w");
    const v = variable([1, 2], [2], "v");
    tf.tidy(() => tf.variable(tf.tensor([1, 2], [2], "int32"), true, "n"));
    const optimizer = adam();
    optimizer.applyGradients({ v: tf.ones([2]) });
    const values = [...v.dataSync()];
    const given = gradients();
    const before = tf.memory().numTensors;
    expect(await codeOf(() => optimizer.applyGradients(given as tf.NamedTensorMap))).toBe(code);
    expect(tf.memory().numTensors).toBe(before);
    expect([...w.dataSync()]).toEqual([1, 2]);
    expect([...v.dataSync()]).toEqual(values);
    expect(optimizer.iterations).toBe(1);
    expect((await optimizer.getWeights()).map(({ name }) => name)).toEqual(["iter", "v/m", "v/v"]);
  });
});

describe("errors", () => {
  test("settings and options", async () => {
    expect(await codeOf(() => adam({ beta1: 1.5 }))).toBe("INVALID_HYPERPARAMETER");
    expect(await codeOf(() => adamw({ learningRate: -1 }))).toBe("INVALID_HYPERPARAMETER");
    expect(await codeOf(() => adam({ rho: 1 } as object))).toBe("UNKNOWN_OPTION");
    expect(await codeOf(() => adam({}, { group: [] } as object))).toBe("UNKNOWN_OPTION");
    expect(await codeOf(() => adam({}, null as never))).toBe("UNKNOWN_OPTION");
    expect(await codeOf(() => adam({}, { inPlace: "no" } as object))).toBe(
      "INVALID_HYPERPARAMETER",
    );
    expect(await codeOf(() => tfOptimizer("adam" as never))).toBe("INVALID_RULE");
    expect(await codeOf(() => adam({}, { groups: [{ match: "w", beta1: 2 }] }))).toBe(
      "INVALID_HYPERPARAMETER",
    );
  });

  test.each([
    [null, "UNKNOWN_RULE"],
    [{}, "UNKNOWN_RULE"],
    [{ rule: 5 }, "UNKNOWN_RULE"],
    [{ rule: "adam", settings: { rho: 1 } }, "UNKNOWN_OPTION"],
    [{ rule: "adam", structural: ["momentum"] }, "UNKNOWN_OPTION"],
    [{ rule: "adam", groups: 5 }, "UNKNOWN_OPTION"],
    [{ rule: "adam", groups: [null] }, "UNKNOWN_OPTION"],
    [{ rule: "adam", groups: [{ match: null }] }, "UNKNOWN_OPTION"],
    [{ rule: "adam", groups: [{ match: { pattern: "(" } }] }, "UNKNOWN_OPTION"],
    [{ rule: "adam", groups: [{ match: { pattern: "w", flags: "?" } }] }, "UNKNOWN_OPTION"],
  ])("the configuration %j is %s", async (config, code) => {
    const load = (): unknown => GradstepOptimizer.fromConfig(GradstepOptimizer, config as never);
    expect(await codeOf(load)).toBe(code);
  });

  test("complex numbers", async () => {
    // TF.js's wasm backend has none.
    await tf.setBackend("cpu");
    const gradient = tf.complex([1, 1], [1, 1]);
    variable([1, 1], [2], "w");
    tf.variable(gradient, true, "c");
    expect(await codeOf(() => adam().applyGradients({ w: gradient }))).toBe("INVALID_GRADIENT");
    expect(await codeOf(() => adam().applyGradients({ c: gradient }))).toBe("INVALID_PARAMETER");
  });

  test("use after dispose is DISPOSED; a second dispose does nothing", async () => {
    const w = variable([1], [1], "w");
    const optimizer = adam();
    optimizer.dispose();
    optimizer.dispose();
    expect(await codeOf(() => optimizer.applyGradients({ w: tf.ones([1]) }))).toBe("DISPOSED");
    expect(await codeOf(() => optimizer.getWeights())).toBe("DISPOSED");
    expect(await codeOf(() => optimizer.setWeights([]))).toBe("DISPOSED");
    expect([...w.dataSync()]).toEqual([1]);
  });

  test("minimize frees its tensors when the step fails", async () => {
    const optimizer = adam();
    const v = variable([1], [1], "v");
    optimizer.dispose();
    const before = tf.memory().numTensors;
    expect(await codeOf(() => optimizer.minimize(() => tf.sum(tf.square(v))))).toBe("DISPOSED");
    expect(tf.memory().numTensors).toBe(before);
  });

  test("TF.js accepts it as an optimizer", () => {
    expect(adam()).toBeInstanceOf(tf.Optimizer);
    const model = layers.sequential({
      layers: [layers.layers.dense({ units: 1, inputShape: [1] })],
    });
    model.compile({ optimizer: adam(), loss: "meanSquaredError" });
    expect(model.optimizer.getClassName()).toBe("GradstepOptimizer");
  });

  test("minimize returns the cost if asked to", () => {
    const v = variable([3], [1], "v");
    const optimizer = adam();
    const cost = optimizer.minimize(() => tf.sum(tf.square(v)), true);
    expect(cost!.dataSync()[0]).toBe(9);
    expect(optimizer.minimize(() => tf.sum(tf.square(v)), false, [v])).toBeNull();
    cost!.dispose();
  });
});
