import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  adafactor,
  adam as adamRule,
  chain,
  clipByGlobalNorm,
  decayRate,
  defineRule,
  defineStage,
  ema,
  lion as lionRule,
  lookahead,
  maxNorm,
  nonNegative,
  prodigy,
  scheduleFreeSgd,
  trustRatio,
} from "@gradstep/core";
import { fromKeras, fromTfjs } from "@gradstep/core/interop";
import {
  adam,
  adamw,
  GradstepOptimizer,
  lion,
  nadam,
  rmsprop,
  sgd,
  tfOptimizer,
} from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  artifactsOf,
  classifier,
  fit,
  layers,
  samples,
  tf,
  variable,
  weightsOf,
} from "./support.js";

beforeEach(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => {
  tf.disposeVariables();
});

const compileWith = (model: layers.LayersModel, optimizer: tf.Optimizer): void =>
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });

/** Trains, saves, loads and trains again, and compares with training without interruption. */
async function interrupted(
  optimizer: () => tf.Optimizer,
  pass: (artifacts: tf.io.ModelArtifacts) => tf.io.IOHandler | tf.io.IOHandlerSync = (artifacts) =>
    tf.io.fromMemory(artifacts),
): Promise<{ losses: number[][]; weights: number[][][]; loaded: layers.LayersModel }> {
  const data = samples();
  const straight = classifier();
  compileWith(straight, optimizer());
  await fit(straight, data, 2);
  const first = classifier();
  compileWith(first, optimizer());
  await fit(first, data, 2);
  const loaded = await layers.loadLayersModel(pass(await artifactsOf(first)) as tf.io.IOHandler);
  return {
    losses: [await fit(loaded, data, 2), await fit(straight, data, 2)],
    weights: [weightsOf(loaded), weightsOf(straight)],
    loaded,
  };
}

const twice = /* a custom rule */ defineRule({
  name: "twice-as-slow",
  hyperparameters: { learningRate: nonNegative(0.01), beta_slow: decayRate(0.5) },
  slots: { slow_mean: 0 },
  perStep: "c = 1 - beta_slow",
  perElement: `
    slow_mean = slow_mean + (g - slow_mean) * c
    p = p - slow_mean * learningRate`,
});

const camelCased = (learningRate: number) =>
  defineRule({
    name: "camelCased_Rule",
    hyperparameters: { learningRate: nonNegative(0.01) },
    slots: { m: 0 },
    perElement: "m = m + g\np = p - m * learningRate",
  })({ learningRate });

const halved = /* a custom stage */ defineStage({
  name: "halved",
  hyperparameters: { factor_of_u: nonNegative(0.5) },
  perElement: "u = u * factor_of_u",
});

const makers: [string, () => GradstepOptimizer][] = [
  ["adam", () => adam({ learningRate: 0.01, amsgrad: true })],
  ["adamw", () => adamw({ learningRate: 0.01 }, { groups: [{ match: /bias/, weightDecay: 0 }] })],
  ["sgd", () => sgd({ learningRate: 0.1 })],
  ["sgd with momentum", () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })],
  ["rmsprop", () => rmsprop({ momentum: 0.5, centered: true })],
  ["nadam", () => nadam({ learningRate: 0.01 }, { groups: [{ match: /kernel/, beta1: 0.8 }] })],
  ["lion", () => lion({ learningRate: 0.001, weightDecay: 0.01 })],
  ["TF.js's adam", () => tfOptimizer(fromTfjs("adam", { learningRate: 0.01 }))],
  ["a custom rule", () => tfOptimizer(twice({ learningRate: 0.1, beta_slow: 0.75 }))],
  ["a custom rule in camelCase", () => tfOptimizer(camelCased(0.1))],
  ["slots per row and column alone", () => tfOptimizer(adafactor({ learningRate: 0.1 }))],
  ["slots that all variables share, and copies", () => tfOptimizer(prodigy({ d0: 1e-3 }))],
  ["a copy of the variable", () => tfOptimizer(scheduleFreeSgd({ learningRate: 0.5 }))],
  ["a stage with a metric", () => tfOptimizer(chain(clipByGlobalNorm(0.1), lionRule()))],
  [
    "a chain of stages on all sides of a rule",
    () =>
      tfOptimizer(
        chain(
          clipByGlobalNorm(0.1),
          adamRule({ learningRate: 0.01 }),
          trustRatio(),
          lookahead(3),
          ema({ emaMomentum: 0.9, emaOverwrite: 4 }),
          maxNorm({ maxNorm: 1.5, maxNormAxis: "row" }),
        ),
        { groups: [{ match: /bias/, globalClipNorm: 0.2 }] },
      ),
  ],
  ["a custom stage", () => tfOptimizer(chain(lionRule(), halved(0.25)))],
  [
    "what Keras prints",
    () => tfOptimizer(fromKeras({ class_name: "AdamW", config: { clipnorm: 0.1, use_ema: true } })),
  ],
];

describe("a model that was saved and loaded with its optimizer", () => {
  test.each(sampled(makers, 1))("resumes with the same bits: %s", async (_, optimizer) => {
    const { losses, weights, loaded } = await interrupted(optimizer);
    expect(losses[0]).toEqual(losses[1]);
    expect(weights[0]).toEqual(weights[1]);
    const resumed = loaded.optimizer as GradstepOptimizer;
    expect(resumed).toBeInstanceOf(GradstepOptimizer);
    expect(resumed.iterations).toBe(32);
    expect(resumed.getConfig()).toEqual({ ...optimizer().getConfig() });
  });

  test("through files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradstep-"));
    try {
      const { losses } = await interrupted(
        () => adam({ learningRate: 0.01 }),
        ({ weightData, ...rest }) => {
          writeFileSync(join(folder, "model.json"), JSON.stringify(rest));
          writeFileSync(join(folder, "weights.bin"), Buffer.from(weightData as ArrayBuffer));
          const bytes = readFileSync(join(folder, "weights.bin"));
          return tf.io.fromMemory({
            ...(JSON.parse(
              readFileSync(join(folder, "model.json"), "utf8"),
            ) as tf.io.ModelArtifacts),
            weightData: new Uint8Array(bytes).buffer,
          });
        },
      );
      expect(losses[0]).toEqual(losses[1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("hyperparameters that were set, and groups, are saved", async () => {
    const model = classifier();
    const optimizer = adamw(
      {},
      {
        groups: [
          { match: /bias$/i, weightDecay: 0 },
          { match: ["a_b%5F/kernel"], learningRate: 0.5 },
          { match: ({ name }) => name.endsWith("/gamma"), beta1: 0.5 },
        ],
      },
    );
    compileWith(model, optimizer);
    optimizer.learningRate = 0.25;
    optimizer.groups[0]["learningRate"] = 0.125;
    const artifacts = JSON.parse(JSON.stringify(await artifactsOf(model))) as tf.io.ModelArtifacts;
    const loaded = await layers.loadLayersModel(
      tf.io.fromMemory({ ...artifacts, weightData: (await artifactsOf(model)).weightData! }),
    );
    const resumed = loaded.optimizer as typeof optimizer;
    expect(resumed.learningRate).toBe(0.25);
    expect(resumed.weightDecay).toBe(0.004);
    const variables = ["x/BIAS", "a_b%5F/kernel", "other"].map((name) => variable([1], [1], name));
    resumed.applyGradients(Object.fromEntries(variables.map(({ name }) => [name, tf.ones([1])])));
    expect(resumed.groups.map((group) => [group.parameters, group["learningRate"]])).toEqual([
      [["x/BIAS"], 0.125],
      [["a_b%5F/kernel"], 0.5],
      [[], 0.25],
    ]);
  });

  test("a momentum that was set to 0 can be raised after loading", async () => {
    const halted = (): GradstepOptimizer => {
      const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
      optimizer.momentum = 0;
      return optimizer;
    };
    const { weights, loaded } = await interrupted(halted);
    expect(weights[0]).toEqual(weights[1]);
    const resumed = loaded.optimizer as ReturnType<typeof sgd>;
    expect(resumed.momentum).toBe(0);
    resumed.momentum = 0.5;
    const v = variable([1], [1], "v");
    for (const expected of [0.9, 0.75]) {
      resumed.applyGradients({ v: tf.ones([1]) });
      expect(v.dataSync()[0]).toBeCloseTo(expected, 6);
    }
  });

  test("iterations continue, as with TF.js's own optimizer", async () => {
    const { loaded } = await interrupted(() => adam({ learningRate: 0.01 }));
    const { loaded: theirs } = await interrupted(() => tf.train.adam(0.01));
    expect(theirs.optimizer.iterations).toBe(loaded.optimizer.iterations);
  });
});
