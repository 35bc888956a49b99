import { readFileSync } from "node:fs";
import { adam as adamRule, createOptimizer, type HostTensor } from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import { cpuJs } from "@gradstep/cpu-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  adam,
  GradstepOptimizer,
  readTfjs,
  tfjsFormat,
  tfOptimizer,
  writeTfjs,
} from "../src/index.js";
import { artifactsOf, backends, codeOf, layers, numbers, tf, weightsOf } from "./support.js";

interface Fixture {
  readonly artifacts: tf.io.ModelArtifacts & { readonly weightData: string };
  /** The weights after ten more steps of TF.js's own optimizer. */
  readonly after10: Readonly<Record<string, readonly number[]>>;
}

/** Written by TF.js 4.22: see make-tfjs-models.mjs. */
const { x, y, models } = JSON.parse(
  readFileSync(new URL("fixtures/tfjs-models.json", import.meta.url), "utf8"),
) as { x: number[]; y: number[]; models: Record<string, Fixture> };
const names = Object.keys(models);

function fixture(name: string): tf.io.ModelArtifacts {
  const { artifacts } = models[name];
  const bytes = new Uint8Array(Buffer.from(artifacts.weightData, "base64"));
  return { ...artifacts, weightData: bytes.buffer };
}

async function steps(model: layers.LayersModel, count: number): Promise<void> {
  await model.fit(tf.tensor(x, [8, 4]), tf.tensor(y, [8, 1]), {
    batchSize: 8,
    epochs: count,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
  });
}

const load = (artifacts: tf.io.ModelArtifacts): Promise<layers.LayersModel> =>
  layers.loadLayersModel(tf.io.fromMemory(artifacts));

/** As a handler of files does: the topology and the specs through JSON, the weights as bytes. */
function throughJson({ weightData, ...rest }: tf.io.ModelArtifacts): tf.io.ModelArtifacts {
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  return {
    ...(JSON.parse(JSON.stringify(rest)) as tf.io.ModelArtifacts),
    // Handlers may give the weights in shards, of which the last is the shortest.
    weightData: [bytes.slice(0, -10).buffer, bytes.slice(-10).buffer],
  };
}

/** The bytes of each weight. */
function bytesByName({
  weightSpecs,
  weightData,
}: tf.io.ModelArtifacts): Record<string, readonly number[]> {
  let offset = 0;
  const entries = weightSpecs!.map(({ name, shape }) => {
    const length = 4 * tf.util.sizeFromShape(shape);
    offset += length;
    const bytes = (weightData as ArrayBuffer).slice(offset - length, offset);
    return [name, [...new Uint8Array(bytes)]] as const;
  });
  return Object.fromEntries(entries);
}

/** The largest difference of a weight from the expected ones, relative to the largest value of its tensor. */
function distance(model: layers.LayersModel, expected: Fixture["after10"]): number {
  const values = Object.values(expected);
  return Math.max(
    ...weightsOf(model).map((weights, i) => {
      const largest = Math.max(...values[i].map(Math.abs));
      return Math.max(...weights.map((value, k) => Math.abs(value - values[i][k]))) / largest;
    }),
  );
}

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

// TF.js's βᵗ are products in f32, which change an update of Adam by 1e-5 of it. So the weights of these models are larger
// than their updates: 1e-6 is relative to the weights.
describe("models that TF.js 4.22 saved with its own optimizers", () => {
  test.each(sampled(names, 1))(
    "load with gradstep's, and take TF.js's next 10 steps: %s",
    async (name) => {
      const handler = tf.io.fromMemory(throughJson(fixture(name)));
      const model = await layers.loadLayersModel(tfjsFormat(handler));
      expect(model.optimizer).toBeInstanceOf(GradstepOptimizer);
      expect(model.optimizer.iterations).toBe(7);
      await steps(model, 10);
      expect(distance(model, models[name].after10)).toBeLessThan(1e-6);
    },
  );

  test.each(sampled(names, 1))("go to core, and back to plain TF.js: %s", async (name) => {
    const { spec, parameters, otherTensors, state } = await readTfjs(fixture(name));
    expect(state.iterations).toBe(7);
    expect(Object.keys(parameters)).toHaveLength(6);
    expect(Object.keys(otherTensors).map((one) => one.split("/")[1])).toEqual([
      "moving_mean",
      "moving_variance",
    ]);
    const backend = cpuJs();
    const tensors = Object.fromEntries(
      Object.entries(parameters).map(([key, { shape, values }]) => [
        key,
        backend.tensor(shape, values),
      ]),
    );
    const optimizer = createOptimizer(spec, tensors);
    optimizer.restore(state);
    // The same gradients for both.
    const gradients = (i: number): Record<string, Float32Array> =>
      Object.fromEntries(
        Object.entries(parameters).map(([key, { values }], k) => [
          key,
          numbers(values.length, 10 * i + k),
        ]),
      );
    const written = await writeTfjs(
      { config: optimizer.config(), state: await optimizer.state(), parameters, otherTensors },
      fixture(name),
    );
    const model = await load(throughJson(written));
    expect(model.optimizer).not.toBeInstanceOf(GradstepOptimizer);
    const { class_name: className } = models[name].artifacts.trainingConfig!
      .optimizer_config as Record<string, unknown>;
    expect(model.optimizer.getClassName()).toBe(className);
    expect(model.optimizer.iterations).toBe(7);
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    for (let i = 0; i < 10; i += 1) {
      const values = Object.values(gradients(i));
      optimizer.step(gradients(i));
      tf.tidy(() => {
        model.optimizer.applyGradients(
          variables.map((one, k) => ({ name: one.name, tensor: tf.tensor(values[k], one.shape) })),
        );
      });
    }
    variables.forEach((one, k) => {
      const expected = one.dataSync<"float32">();
      const largest = Math.max(...expected.map(Math.abs));
      const got = (Object.values(tensors)[k] as HostTensor).view();
      got.forEach((value, i) => {
        expect(Math.abs(value - expected[i]) / largest).toBeLessThan(1e-6);
      });
    });
  });

  test("a state of another rule, or that was not awaited, is an error", async () => {
    const { spec, state, ...rest } = await readTfjs(fixture("adam"));
    const backend = cpuJs();
    const tensors = Object.entries(rest.parameters).map(([key, { shape }]) => [
      key,
      backend.tensor(shape),
    ]);
    const config = createOptimizer(spec, Object.fromEntries(tensors)).config();
    const other = { ...state, rule: "lion" };
    await expect(
      writeTfjs({ config, state: other, ...rest }, fixture("adam")),
    ).rejects.toMatchObject({ code: "STATE_MISMATCH" });
    const promise = Promise.resolve(state) as unknown as typeof state;
    await expect(writeTfjs({ config, state: promise, ...rest }, fixture("adam"))).rejects.toThrow(
      /await optimizer\.state\(\)/,
    );
    const counted = { ...state, rowCounts: { [Object.keys(state.shapes)[0]]: 1 } };
    await expect(writeTfjs({ config, state: counted, ...rest }, fixture("adam"))).rejects.toThrow(
      /has 1 of \d+ rows/,
    );
  });

  test("what is written has the bits that were read", async () => {
    for (const name of names) {
      const { spec, state, ...rest } = await readTfjs(fixture(name));
      const backend = cpuJs();
      const optimizer = createOptimizer(
        spec,
        Object.fromEntries(
          Object.entries(rest.parameters).map(([key, { shape }]) => [key, backend.tensor(shape)]),
        ),
      );
      const written = await writeTfjs(
        { config: optimizer.config(), state, ...rest },
        fixture(name),
      );
      const expected = fixture(name);
      expect(written.weightSpecs!.length).toBe(expected.weightSpecs!.length);
      const [got, wanted] = [bytesByName(written), bytesByName(expected)];
      for (const [key, values] of Object.entries(wanted)) {
        // TF.js's RMSProp without momentum has the last update there, and multiplies it by 0.
        if (name === "rmsprop" && key.endsWith("/momentum")) continue;
        // The state has the names of the weights, which are those of the variables without a number.
        expect([key, got[key.replace(/^(out\/\w+?)_\d+/, "$1")]]).toEqual([key, values]);
      }
      expect(written.trainingConfig).toEqual(fixture(name).trainingConfig);
    }
  });
});

/** A model with averages that no gradient changes, and layers with and without names. */
function network(optimizer: tf.Optimizer): layers.Sequential {
  const { dense, batchNormalization } = layers.layers;
  const kernelInitializer = layers.initializers.glorotUniform({ seed: 3 });
  const biasInitializer = layers.initializers.constant({ value: 0.5 });
  const model = layers.sequential({
    layers: [
      dense({ units: 3, inputShape: [4], activation: "tanh", kernelInitializer, biasInitializer }),
      batchNormalization({ momentum: 0.5, betaInitializer: biasInitializer }),
      dense({ name: "last", units: 1, kernelInitializer, biasInitializer }),
    ],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

const paper = (): GradstepOptimizer => tfOptimizer(fromTfjs("adam", { learningRate: 0.002 }));

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
    const { state: own } = { state: await (model.optimizer as GradstepOptimizer).state() };
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

  test("a class that is not known, and ε of another backend", async () => {
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
