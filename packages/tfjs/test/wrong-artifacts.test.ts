import { adam as adamRule } from "@gradstep/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTfjs, tfjsFormat } from "../src/index.js";
import { fixture, load } from "./saved-models.js";
import { codeOf, layers, tf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("artifacts that are broken: one INVALID_FILE each", () => {
  type Spec = tf.io.WeightsManifestEntry;
  const changed = (
    change: (specs: Spec[], values: Float32Array) => Spec[] | void,
    name = "adam",
  ): tf.io.ModelArtifacts => {
    const artifacts = fixture(name);
    const weightData = (artifacts.weightData as ArrayBuffer).slice(0);
    const specs = structuredClone(artifacts.weightSpecs!);
    const weightSpecs = change(specs, new Float32Array(weightData)) ?? specs;
    return { ...artifacts, weightSpecs, weightData };
  };
  /** Leaves out some weights and their values. */
  const without = (isOut: (spec: Spec) => boolean): tf.io.ModelArtifacts => {
    const artifacts = fixture("adam");
    const data = artifacts.weightData as ArrayBuffer;
    const kept: ArrayBuffer[] = [];
    let offset = 0;
    for (const spec of artifacts.weightSpecs!) {
      const length = 4 * tf.util.sizeFromShape(spec.shape);
      if (!isOut(spec)) kept.push(data.slice(offset, offset + length));
      offset += length;
    }
    const weightSpecs = artifacts.weightSpecs!.filter((spec) => !isOut(spec));
    return { ...artifacts, weightSpecs, weightData: kept };
  };
  /** The position of a weight's first value. */
  const offsetOf = (specs: readonly Spec[], suffix: string): number => {
    const index = specs.findIndex(({ name }) => name.endsWith(suffix));
    const sizes = specs.slice(0, index).map(({ shape }) => tf.util.sizeFromShape(shape));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const rename = (specs: Spec[], from: string, to: string): void => {
    specs.find(({ name }) => name.endsWith(from))!.name = to;
  };
  const { optimizer_config: config } = fixture("adam").trainingConfig!;

  const broken: [string, () => unknown, RegExp][] = [
    ["nothing", () => undefined, /weightSpecs is undefined/],
    ["no weights", () => ({ ...fixture("adam"), weightData: undefined }), /weightData undefined/],
    [
      "no specs",
      () => ({ ...fixture("adam"), weightSpecs: undefined }),
      /weightSpecs is undefined/,
    ],
    [
      "no training config",
      () => ({ ...fixture("adam"), trainingConfig: undefined }),
      /without its optimizer.*includeOptimizer/,
    ],
    [
      "no optimizer config",
      () => ({ ...fixture("adam"), trainingConfig: { loss: "x" } }),
      /optimizer_config is undefined/,
    ],
    [
      "no optimizer weights",
      () => without(({ group }) => group === "optimizer"),
      /without the weights of its optimizer.*1\.2/,
    ],
    [
      "no iter",
      () => without(({ name }) => name === "iter"),
      /begin with "dense_Dense8\/kernel\/m"; expected "iter"/,
    ],
    [
      "a negative iter",
      () =>
        changed((specs, values) => {
          new Int32Array(values.buffer)[offsetOf(specs, "iter")] = -3;
        }),
      /have -3 as "iter"/,
    ],
    [
      "a slot is missing",
      () => without(({ name }) => name === "out/bias_7/v"),
      /lack "out\/bias_7\/v"; expected 2 for each of 6 variables/,
    ],
    [
      "a weight twice",
      () => changed((specs) => rename(specs, "out/bias_7/v", "dense_Dense8/bias/v")),
      /contain "dense_Dense8\/bias\/v" twice/,
    ],
    [
      "slots of other shapes",
      () =>
        changed((specs) => {
          specs.find(({ name }) => name === "dense_Dense8/kernel/v")!.shape = [12];
        }),
      /\[4, 3\] for "dense_Dense8\/kernel\/m" and \[12\] for/,
    ],
    [
      "both slots of another shape than the weight",
      () =>
        changed((specs) => {
          for (const one of specs)
            if (/kernel\/[mv]$/.test(one.name) && one.shape.length === 2)
              one.shape = [...one.shape].reverse();
        }),
      /has the shape \[3, 4\], and the weight \[4, 3\]/,
    ],
    [
      "the slots of another optimizer",
      () => ({ ...fixture("rmsprop"), trainingConfig: { loss: "x", optimizer_config: config } }),
      /contain "dense_Dense6\/kernel\/rms"; expected names that end in "\/m", "\/v"/,
    ],
    [
      "slots of SGD",
      () => ({ ...fixture("momentum"), trainingConfig: fixture("sgd").trainingConfig }),
      /expected nothing but iter/,
    ],
    [
      "NaN",
      () =>
        changed((specs, values) => {
          values[offsetOf(specs, "out/kernel_7/m") + 1] = NaN;
        }),
      /have NaN in "out\/kernel_7\/m" at 1/,
    ],
    [
      "a negative square",
      () =>
        changed((specs, values) => {
          values[offsetOf(specs, "out/kernel_7/v")] = -1;
        }),
      /have -1 in "out\/kernel_7\/v" at 0/,
    ],
    [
      "integers",
      () =>
        changed((specs) => {
          specs.find(({ name }) => name === "out/kernel_7/v")!.dtype = "int32";
        }),
      /have integers in "out\/kernel_7\/v"/,
    ],
    [
      "cut off",
      () => ({
        ...fixture("adam"),
        weightData: (fixture("adam").weightData as ArrayBuffer).slice(0, -4),
      }),
      /there are \d+ bytes of weights; expected \d+/,
    ],
    [
      "longer than its specs",
      () => ({
        ...fixture("adam"),
        weightData: [fixture("adam").weightData, new ArrayBuffer(4)].flat(),
      }),
      /there are \d+ bytes/,
    ],
    [
      "a dtype that does not exist",
      () =>
        changed((specs) => {
          specs[0].dtype = "float8" as never;
        }),
      /cannot be decoded/,
    ],
    [
      "a shape that is none",
      () =>
        changed((specs) => {
          specs[0].shape = [-1, 3];
        }),
      /a weight has the name/,
    ],
    [
      "a state of another model",
      () =>
        changed((specs) => {
          rename(specs, "out/bias_7/m", "x/bias/m");
          rename(specs, "out/bias_7/v", "x/bias/v");
        }),
      /has a state for "x\/bias"/,
    ],
  ];
  test.each(broken)("%s", async (_, make, message) => {
    const artifacts = make() as tf.io.ModelArtifacts;
    const before = tf.memory().numTensors;
    expect(await codeOf(() => readTfjs(artifacts))).toBe("INVALID_FILE");
    await expect(readTfjs(artifacts)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("TF.js loads most of them without an error, and tfjsFormat does not", async () => {
    const swapped = changed((specs) => {
      rename(specs, "out/bias_7/v", "dense_Dense8/bias/v");
    });
    const plain = await load(swapped);
    expect(plain.optimizer.iterations).toBe(7);
    const handler = tfjsFormat(tf.io.fromMemory(swapped));
    expect(await codeOf(() => layers.loadLayersModel(handler))).toBe("INVALID_FILE");
  });

  test("shards of any lengths, and views, are read: TF.js gives zeros for them", async () => {
    const { state } = await readTfjs(fixture("adam"));
    const bytes = new Uint8Array(fixture("adam").weightData as ArrayBuffer);
    const shifted = new Uint8Array([7, ...bytes]).subarray(1);
    for (const weightData of [
      [bytes.slice(0, 10).buffer, bytes.slice(10).buffer],
      [shifted.subarray(0, 100), shifted.subarray(100)],
      shifted,
    ] as unknown as tf.io.WeightData[]) {
      const artifacts = { ...fixture("adam"), weightData };
      expect((await readTfjs(artifacts)).state).toEqual(state);
      const handler = tfjsFormat(tf.io.fromMemory(artifacts));
      const { optimizer } = await layers.loadLayersModel(handler);
      expect(optimizer.iterations).toBe(7);
    }
  });

  test("weights in another order are found by their names", async () => {
    const { state } = await readTfjs(fixture("adam"));
    const artifacts = fixture("adam");
    const ofModel = artifacts.weightSpecs!.filter(({ group }) => group !== "optimizer");
    const sizeOf = (specs: readonly Spec[]): number =>
      specs.reduce((sum, { shape }) => sum + 4 * tf.util.sizeFromShape(shape), 0);
    const data = artifacts.weightData as ArrayBuffer;
    const [iter, ...slots] = artifacts.weightSpecs!.slice(ofModel.length);
    let offset = sizeOf(ofModel) + 4;
    const parts = slots.map((spec) => {
      const part = data.slice(offset, offset + sizeOf([spec]));
      offset += part.byteLength;
      return part;
    });
    const reordered = {
      ...artifacts,
      weightSpecs: [...ofModel, iter, ...slots.reverse()],
      weightData: [data.slice(0, sizeOf(ofModel) + 4), ...parts.reverse()],
    };
    expect((await readTfjs(reordered)).state).toEqual(state);
  });

  test("a class that is not known", async () => {
    const own = {
      ...fixture("adam").trainingConfig!,
      optimizer_config: { class_name: "Own", config: {} },
    };
    expect(await codeOf(() => readTfjs({ ...fixture("adam"), trainingConfig: own }))).toBe(
      "UNSUPPORTED",
    );
  });

  test("names of Keras, from the converter of TensorFlow", async () => {
    const keras = {
      class_name: "Adam",
      config: { name: "Adam", learning_rate: 0.25, beta_1: 0.5, beta_2: 0.75, epsilon: 1e-5 },
    };
    const trainingConfig = { ...fixture("adam").trainingConfig!, optimizer_config: keras };
    const { spec, state } = await readTfjs({ ...fixture("adam"), trainingConfig });
    const expected = { learningRate: 0.25, beta1: 0.5, beta2: 0.75, epsilon: 1e-5 };
    expect(spec.hyperparameters).toMatchObject(expected);
    expect(state.hyperparameters).toMatchObject(expected);
    expect(spec.rule).toBe(adamRule().rule);
  });
});
