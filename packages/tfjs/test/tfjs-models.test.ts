import { createOptimizer, type HostTensor } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { GradstepOptimizer, readTfjs, tfjsFormat, writeTfjs } from "../src/index.js";
import {
  distance,
  fixture,
  load,
  modelNames,
  steps,
  throughJson,
  weightsAfter10,
} from "./saved-models.js";
import { layers, numbers, tf } from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

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

// TF.js's βᵗ are products in f32, which change an update of Adam by 1e-5 of it. So the weights of these models are larger
// than their updates: 1e-6 is relative to the weights.
describe("models that TF.js 4.22 saved with its own optimizers", () => {
  test.each(sampled(modelNames, 1))(
    "load with gradstep's, and take TF.js's next 10 steps: %s",
    async (name) => {
      const handler = tf.io.fromMemory(throughJson(fixture(name)));
      const model = await layers.loadLayersModel(tfjsFormat(handler));
      expect(model.optimizer).toBeInstanceOf(GradstepOptimizer);
      expect(model.optimizer.iterations).toBe(7);
      await steps(model, 10);
      expect(distance(model, weightsAfter10(name))).toBeLessThan(1e-6);
    },
  );

  test.each(sampled(modelNames, 1))("go to core, and back to plain TF.js: %s", async (name) => {
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
    const { class_name: className } = fixture(name).trainingConfig!.optimizer_config as Record<
      string,
      unknown
    >;
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
    for (const name of modelNames) {
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
