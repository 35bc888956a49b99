import {
  adam,
  chain,
  createOptimizer,
  ema,
  lookahead,
  type GroupState,
  type OptimizerSpec,
  type OptimizerState,
} from "@gradstep/core";
import { fromKeras } from "@gradstep/core/interop";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { readArchive } from "../src/archive/archive.js";
import { readKeras, writeKeras } from "../src/index.js";
import { decode, fixture, floatTypes, nextCalls } from "./fixtures.js";
import { checkpointOf, resume } from "./optimizers.js";

describe.each(floatTypes)("%s", (floatType) => {
  const cases = Object.entries(nextCalls(floatType));

  test.each(sampled(cases, 3))(
    "%s: a file that was read, trained and written is read as it was",
    async (name, { calls }) => {
      /** Those that Keras stores, in f32: the product of Nadam's momenta. */
      function scalarsOf({ persistentScalars: { product = 1, weightSum } }: GroupState): unknown {
        return { product: Math.fround(product), weightSum };
      }

      function withoutColumns(slots: OptimizerState["slots"]): unknown {
        return Object.fromEntries(
          Object.entries(slots).map(([name, { r, c }]) => [
            name,
            name.endsWith("kernel") ? { r, c } : r,
          ]),
        );
      }

      const template = fixture(`${name}.${floatType}.keras`);
      const before = await readKeras(template);
      const run = resume(before, floatType);
      const Values = floatType === "float32" ? Float32Array : Float64Array;
      for (const { gradients } of calls.slice(0, 5)) {
        const named = Object.keys(run.tensors).map((one, i) => [
          one,
          Values.from(decode(gradients[i])),
        ]);
        run.optimizer.step(Object.fromEntries(named) as Record<string, Float32Array>);
      }
      const checkpoint = await checkpointOf(run);
      const file = await writeKeras(checkpoint, { template });
      const after = await readKeras(file);
      expect(after.parameters).toEqual(checkpoint.parameters);
      expect(after.otherTensors).toEqual(before.otherTensors);
      const { slots, iterations, groups, control, hyperparameters } = checkpoint.state;
      expect(after.state.iterations).toBe(iterations);
      expect(after.state.hyperparameters).toEqual(hyperparameters);
      expect(after.state.control?.microSteps).toBe(control?.microSteps);
      // A static scale does not grow, so that Keras does not count its steps.
      const goodSteps = name === "adam-loss-scale" ? 0 : control?.lossScale?.goodSteps;
      expect(after.state.control?.lossScale).toEqual(
        control?.lossScale && { ...control.lossScale, goodSteps },
      );
      expect(after.state.control?.accumulated).toEqual(control?.accumulated);
      expect(after.state.groups.map(scalarsOf)).toEqual(groups.map(scalarsOf));
      // Of a vector, Adafactor's average per column is not stored: it cancels.
      const stored = name === "adafactor" ? withoutColumns(slots) : slots;
      const read = name === "adafactor" ? withoutColumns(after.state.slots) : after.state.slots;
      expect(read).toEqual(stored);
      const [old, now] = [readArchive(template), readArchive(file)];
      expect([...now.keys()]).toEqual([...old.keys()]);
      expect(now.get("config.json")).toEqual(old.get("config.json"));
    },
  );
});

const template = fixture("adam.float32.keras");

/** An optimizer of the model of the template, after one step. */
async function trained(spec: OptimizerSpec) {
  const { parameters } = await readKeras(template);
  const backend = cpuJs();
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, values }]) => [
      name,
      backend.tensor(shape, values as Float32Array),
    ]),
  );
  const optimizer = createOptimizer(spec, tensors);
  optimizer.step(
    Object.fromEntries(
      Object.entries(parameters).map(([name, { values }]) => [
        name,
        new Float32Array(values.length).fill(0.5),
      ]),
    ),
  );
  return checkpointOf({ optimizer, tensors });
}

describe("a template and an optimizer", () => {
  test("everything that Keras cannot do is named at once", async () => {
    const checkpoint = await trained(adam({ epsilonMode: "paper", nesterov: true }));
    const writing = writeKeras(checkpoint, { template });
    await expect(writing).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(writing).rejects.toThrow(/nesterov is true[^]*epsilonMode is "paper"/);
  });

  test.each([
    ["a stage that Keras does not have", chain(adam(), lookahead())],
    ["two averages of weights", chain(adam(), lookahead(), ema())],
    ["groups with rates of their own", { ...adam(), groups: [{ match: /bias/, learningRate: 1 }] }],
    [
      "whole steps that are left out",
      { ...adam(), control: { accumulate: 2, lossScale: "dynamic" as const } },
    ],
    ["calls that are left out", { ...adam(), control: { nonFinite: "skip" as const } }],
  ])("%s", async (_, spec) => {
    await expect(
      trained(spec as OptimizerSpec).then((one) => writeKeras(one, { template })),
    ).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });

  test.each([{ clipvalue: 0.3 }, { global_clipnorm: 1, use_ema: true, weight_decay: 0.1 }])(
    "Muon, whose AdamW has the stages, too: %j",
    async (config) => {
      const spec = fromKeras({
        class_name: "Muon",
        config: { ...config, learning_rate: 0.25, exclude_layers: ["dense_1"] },
      });
      const backend = cpuJs();
      const tensors = {
        "dense/kernel": backend.tensor([2, 2], [1, 2, 3, 5]),
        "dense/bias": backend.tensor([2]),
        "dense_1/kernel": backend.tensor([2, 1], [1, 2]),
      };
      const optimizer = createOptimizer(spec, tensors);
      const gradients = Object.entries(tensors).map(([name, { size }]) => [
        name,
        Float32Array.from({ length: size }, (_, i) => 0.1 + i),
      ]);
      optimizer.step(Object.fromEntries(gradients));
      const checkpoint = await checkpointOf({ optimizer, tensors });
      const { state } = await readKeras(await writeKeras(checkpoint), { spec });
      expect(state.slots).toEqual(checkpoint.state.slots);
      expect(Object.keys(state.slots["dense/bias"])).toContain("v");
    },
  );

  test("what only rounds in another way is no obstacle", async () => {
    const spec = adam({ learningRate: 0.02, averageForm: "sum-of-squares" });
    const file = await writeKeras(await trained(spec), { template });
    const { state } = await readKeras(file);
    expect(state.iterations).toBe(1);
    expect(state.hyperparameters.learningRate).toBe(Math.fround(0.02));
  });

  test("another optimizer than that of the template", async () => {
    const checkpoint = await trained(fromKeras({ class_name: "Nadam", config: {} }));
    await expect(writeKeras(checkpoint, { template })).rejects.toThrow(/"nadam", and "adam"/);
    const other = await trained(fromKeras({ class_name: "Adam", config: { beta_1: 0.8 } }));
    await expect(writeKeras(other, { template })).rejects.toMatchObject({ code: "STATE_MISMATCH" });
    await expect(writeKeras(other, { template })).rejects.toThrow(/beta1 is 0.8, and 0.9/);
  });

  test("a state of another rule, or that was not awaited", async () => {
    const checkpoint = await trained(fromKeras({ class_name: "Adam", config: {} }));
    const { state } = await trained(fromKeras({ class_name: "Lion", config: {} }));
    await expect(writeKeras({ ...checkpoint, state }, { template })).rejects.toThrow(
      /rule is "lion" in the state, and "adam" in the config/,
    );
    const promise = Promise.resolve(state) as unknown as typeof state;
    await expect(writeKeras({ ...checkpoint, state: promise })).rejects.toThrow(
      /await optimizer\.state\(\)/,
    );
    const counted = { ...checkpoint.state, rowCounts: { "head/bias": 1 } };
    await expect(writeKeras({ ...checkpoint, state: counted }, { template })).rejects.toThrow(
      /head\/bias has 1 of 2 rows/,
    );
  });

  test("parameters that the template does not have", async () => {
    const { parameters, ...rest } = await trained(
      fromKeras({ class_name: "Adam", config: { learning_rate: 0.01 } }),
    );
    const { "head/bias": bias, ...others } = parameters;
    await expect(writeKeras({ ...rest, parameters: others }, { template })).rejects.toThrow(
      /lacks head\/bias/,
    );
    const wider = { ...parameters, "head/bias": { shape: [3], values: new Float32Array(3) } };
    await expect(writeKeras({ ...rest, parameters: wider }, { template })).rejects.toThrow(
      /head\/bias has the shape \[3\]/,
    );
    expect(bias.shape).toEqual([2]);
  });
});

describe("without a template", () => {
  const backend = cpuJs();
  const shapes = { "dense/kernel": [2, 3], "dense/bias": [3], "dense_1/kernel": [3, 1] };

  async function checkpoint(names: Readonly<Record<string, readonly number[]>>) {
    const tensors = Object.fromEntries(
      Object.entries(names).map(([name, shape]) => [name, backend.tensor(shape)]),
    );
    const spec = fromKeras({ class_name: "Adam", config: {} });
    const optimizer = createOptimizer(spec, tensors);
    optimizer.step(
      Object.fromEntries(
        Object.entries(tensors).map(([name, { size }]) => [
          name,
          Float32Array.from({ length: size }, (_, i) => i - 1),
        ]),
      ),
    );
    return checkpointOf({ optimizer, tensors });
  }

  test("layers with default names are found", async () => {
    const given = await checkpoint(shapes);
    const file = await writeKeras(given);
    const spec = fromKeras({ class_name: "Adam", config: {} });
    const { parameters, state } = await readKeras(file, { spec });
    expect(parameters).toEqual(given.parameters);
    expect(state.slots).toEqual(given.state.slots);
    expect(state.iterations).toBe(1);
  });

  test("batch normalization needs its statistics, which no optimizer updates", async () => {
    const given = await checkpoint({
      "batch_normalization/gamma": [2],
      "batch_normalization/beta": [2],
    });
    await expect(writeKeras(given)).rejects.toThrow(
      /expected all variables of this layer, batch_normalization\/moving_mean and/,
    );
    const values = Float32Array.of(1, 2);
    const statistics = {
      "batch_normalization/moving_mean": { shape: [2], values },
      "batch_normalization/moving_variance": { shape: [2], values },
    };
    const file = await writeKeras({
      ...given,
      parameters: { ...given.parameters, ...statistics },
    });
    const { parameters, otherTensors } = await readKeras(file, {
      spec: fromKeras({ class_name: "Adam", config: {} }),
    });
    expect(parameters).toEqual(given.parameters);
    expect(otherTensors).toEqual(statistics);
  });

  test("other names need a layout", async () => {
    const given = await checkpoint({ "encoder/kernel": [2, 2], "encoder/bias": [2] });
    await expect(writeKeras(given)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    const layers = { "layers/dense": ["encoder/kernel", "encoder/bias"] };
    const file = await writeKeras(given, { layers });
    const { parameters } = await readKeras(file, {
      spec: fromKeras({ class_name: "Adam", config: {} }),
    });
    expect(parameters).toEqual(given.parameters);
    await expect(
      writeKeras(given, { layers: { "layers/dense": ["encoder/kernel"] } }),
    ).rejects.toMatchObject({
      code: "STATE_MISMATCH",
      message: expect.stringContaining("layers lacks encoder/bias") as string,
    });
    await expect(
      writeKeras(given, {
        layers: { "layers/dense": ["encoder/kernel", "encoder/bias", "encoder/kernel"] },
      }),
    ).rejects.toMatchObject({
      code: "STATE_MISMATCH",
      message: expect.stringContaining("layers has encoder/kernel more than once") as string,
    });
  });
});
