import { checkpointer, memoryStore } from "@gradstep/checkpoint";
import { cpuJs } from "@gradstep/cpu-js";
import { adamw as adamwRule, chain, clipByGlobalNorm, cosineDecay } from "@gradstep/core";
import { fromTfjs } from "@gradstep/core/interop";
import { afterEach, describe, expect, test } from "vitest";
import { adam, nadam, tfOptimizer, tfParameters, type GradstepOptimizer } from "../src/index.js";
import { backends, codeOf, layers, numbers, tf, weightsOf } from "./support.js";

afterEach(() => {
  tf.disposeVariables();
});

function network(seed: number, optimizer: tf.Optimizer): layers.Sequential {
  const { dense, batchNormalization } = layers.layers;
  const kernelInitializer = layers.initializers.glorotUniform({ seed });
  const model = layers.sequential({
    layers: [
      dense({ units: 5, inputShape: [4], activation: "tanh", kernelInitializer }),
      batchNormalization({ momentum: 0.5 }),
      dense({ units: 4, activation: "tanh", kernelInitializer }),
      dense({ name: "last", units: 1, kernelInitializer }),
    ],
  });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

async function steps(
  model: layers.LayersModel,
  count: number,
  onBatchEnd: () => void = () => {},
): Promise<void> {
  await model.fit(tf.tensor(numbers(32, 1), [8, 4]), tf.tensor(numbers(8, 2), [8, 1]), {
    batchSize: 8,
    epochs: count,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
    callbacks: { onBatchEnd: async () => onBatchEnd() },
  });
}

const makers: [string, () => GradstepOptimizer][] = [
  ["adam", () => adam({ learningRate: 0.02 }, { groups: [{ match: /bias/, every: 2 }] })],
  ["nadam", () => nadam({ learningRate: 0.02 })],
  ["TF.js's Adam", () => tfOptimizer(fromTfjs("adam", { learningRate: 0.02 }))],
  [
    "stages, a schedule and accumulated gradients",
    () =>
      tfOptimizer(chain(clipByGlobalNorm(0.1), adamwRule({ learningRate: cosineDecay(0.1, 9) })), {
        accumulate: 2,
      }),
  ],
];

describe.each(backends)("a checkpointer of @gradstep/checkpoint, %s", (backend) => {
  test.each(makers)("a run that was saved meanwhile resumes bit for bit: %s", async (_, make) => {
    await tf.setBackend(backend);
    const whole = network(1, make());
    await steps(whole, 11);

    const store = memoryStore();
    const optimizer = make();
    const first = network(1, optimizer);
    const saving = checkpointer(optimizer, tfParameters(first), { store, every: 3 });
    await steps(first, 7, () => saving.afterStep());
    await saving.close();
    first.dispose();

    const next = make();
    const second = network(2, next);
    const resuming = checkpointer(next, tfParameters(second), { store });
    const { iterations } = (await resuming.resume())!;
    expect(iterations % 3).toBe(0);
    expect(iterations).toBeGreaterThan(0);
    expect(next.iterations).toBe(iterations);
    // Calls that are left, of which some are accumulated.
    await steps(second, 11 - iterations * (next.getConfig()["control"] === undefined ? 1 : 2));
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    await resuming.close();
  });
});

test("another model is a STATE_MISMATCH, and nothing changes", async () => {
  await tf.setBackend("cpu");
  const store = memoryStore();
  const optimizer = adam();
  const model = network(1, optimizer);
  await steps(model, 2);
  await checkpointer(optimizer, tfParameters(model), { store }).save();
  const other = adam();
  const { dense } = layers.layers;
  const different = layers.sequential({
    layers: [dense({ units: 5, inputShape: [4] }), dense({ name: "last", units: 2 })],
  });
  different.compile({ optimizer: other, loss: "meanSquaredError" });
  const before = weightsOf(different);
  const resuming = checkpointer(other, tfParameters(different), { store });
  expect(await codeOf(() => resuming.resume())).toBe("STATE_MISMATCH");
  expect(weightsOf(different)).toEqual(before);
  expect(other.iterations).toBe(0);
});

test("tensors of a backend are refused instead of variables, and saved in addition to them", async () => {
  await tf.setBackend("cpu");
  const store = memoryStore();
  const optimizer = adam();
  const extra = cpuJs().tensor([2], [1, 2]);
  expect(() => checkpointer(optimizer, { extra }, { store })).toThrow(
    expect.objectContaining({
      code: "INVALID_PARAMETER",
      message: expect.stringContaining("expected tfParameters(model)"),
    }),
  );
  const w = tf.variable(tf.tensor([3]), true, "w");
  const saves = checkpointer(optimizer, { ...tfParameters({ w }), extra }, { store });
  await saves.save();
  extra.write([0, 0]);
  w.assign(tf.tensor([0]));
  await saves.resume();
  expect([[...(await extra.read())], [...(await w.data())]]).toEqual([[1, 2], [3]]);
});
