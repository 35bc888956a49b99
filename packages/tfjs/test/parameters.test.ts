import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sgd, tfParameters } from "../src/index.js";
import { stableNames } from "../src/state/stable-names.js";
import { backends, codeOf, layers, numbers, tf, variable } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

describe("names that are the same in each process", () => {
  const cases: [string, string[], string[]][] = [
    [
      "layers count from 1",
      ["dense_Dense3/kernel", "dense_Dense5/kernel"],
      ["dense_Dense1/kernel", "dense_Dense2/kernel"],
    ],
    [
      "each class by itself; past 9",
      [
        "conv2d_Conv2D10/kernel",
        "conv2d_Conv2D9/kernel",
        "batch_normalization_BatchNormalization4/gamma",
      ],
      [
        "conv2d_Conv2D2/kernel",
        "conv2d_Conv2D1/kernel",
        "batch_normalization_BatchNormalization1/gamma",
      ],
    ],
    [
      "wrapped layers",
      ["forward_lstm_LSTM2/kernel", "backward_lstm_LSTM2/kernel"],
      ["forward_lstm_LSTM1/kernel", "backward_lstm_LSTM1/kernel"],
    ],
    [
      "names of users stay",
      ["enc_L1/kernel", "enc_L3/kernel", "w_1", "w_3"],
      ["enc_L1/kernel", "enc_L3/kernel", "w_1", "w_3"],
    ],
    ["numbers that make names unique", ["d/kernel_2", "d/bias_2"], ["d/kernel", "d/bias"]],
    ["several of one name", ["d/kernel_3", "d/kernel_2"], ["d/kernel_1", "d/kernel"]],
    ["no names", ["12", "9", "w"], ["1", "0", "w"]],
  ];
  test.each(cases)("%s", (_, names, expected) => {
    expect(stableNames(names)).toEqual(expected);
  });
});

describe.each(backends)("tfParameters, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });

  test("all weights of a model, non-trainable ones and those of frozen layers included", async () => {
    const build = (): layers.Sequential =>
      layers.sequential({
        layers: [
          layers.layers.dense({ units: 2, inputShape: [3] }),
          layers.layers.batchNormalization(),
          layers.layers.dense({ name: "out", units: 1, useBias: false }),
        ],
      });
    const expected = [
      "batch_normalization_BatchNormalization1/beta",
      "batch_normalization_BatchNormalization1/gamma",
      "batch_normalization_BatchNormalization1/moving_mean",
      "batch_normalization_BatchNormalization1/moving_variance",
      "dense_Dense1/bias",
      "dense_Dense1/kernel",
      "out/kernel",
    ];
    for (let i = 0; i < 2; i += 1) {
      const model = build();
      model.layers[i].trainable = false;
      expect(Object.keys(tfParameters(model)).sort()).toEqual(expected);
    }
  });

  test("values go out and in; nothing else shares them", async () => {
    const w = variable(numbers(6, 1), [2, 3], "w");
    const { w: parameter } = tfParameters([w]);
    expect(parameter.shape).toEqual([2, 3]);
    const read = parameter.read();
    const optimizer = sgd({ learningRate: 1 });
    optimizer.applyGradients({ w: tf.ones([2, 3]) });
    const values = await read;
    expect(values).toEqual(numbers(6, 1));
    parameter.write(values);
    values.fill(0);
    expect(w.dataSync()).toEqual(numbers(6, 1));
    optimizer.applyGradients({ w: tf.ones([2, 3]) });
    expect(w.dataSync()).toEqual(numbers(6, 1).map((value) => value - 1));
    const before = tf.memory().numTensors;
    parameter.write(numbers(6, 2));
    expect(tf.memory().numTensors).toBe(before);
  });

  test("integers and booleans keep their values and their dtype", async () => {
    const i = tf.variable(tf.tensor1d([2 ** 31 - 1, -(2 ** 31)], "int32"), false, "i");
    const b = tf.variable(tf.tensor1d([1, 0], "bool"), false, "b");
    const parameters = tfParameters({ first: i, second: b });
    const [integers, booleans] = [await parameters.first.read(), await parameters.second.read()];
    expect(integers).toEqual(Float64Array.of(2 ** 31 - 1, -(2 ** 31)));
    parameters.first.write([1, 2]);
    parameters.first.write(integers);
    parameters.second.write([0, 1]);
    parameters.second.write(booleans);
    expect([i.dtype, b.dtype]).toEqual(["int32", "bool"]);
    expect([...i.dataSync(), ...b.dataSync()]).toEqual([2 ** 31 - 1, -(2 ** 31), 1, 0]);
    for (const [name, values] of [
      ["first", [0.5, 1]],
      ["first", [2 ** 31, 1]],
      ["second", [2, 0]],
      ["second", [NaN, 0]],
    ] as const)
      expect(await codeOf(() => parameters[name].write(values))).toBe("INVALID_PARAMETER");
    expect([...i.dataSync(), ...b.dataSync()]).toEqual([2 ** 31 - 1, -(2 ** 31), 1, 0]);
  });
});

test("what is wrong is said", async () => {
  const w = variable([1, 2], [2], "w");
  const { w: parameter } = tfParameters([w, w]);
  expect(await codeOf(() => parameter.write([1]))).toBe("LENGTH_MISMATCH");
  w.dispose();
  expect(await codeOf(() => parameter.write([1, 2]))).toBe("DISPOSED");
  expect(await codeOf(() => parameter.read())).toBe("DISPOSED");
  expect(await codeOf(() => tfParameters([w]))).toBe("DISPOSED");
  const unbuilt = layers.sequential();
  const text = tf.variable(tf.tensor1d(["a"]), false, "text");
  for (const source of [unbuilt, [tf.ones([1])], [text], null, { w: 1 }])
    expect(await codeOf(() => tfParameters(source as never))).toBe("INVALID_PARAMETER");
});
