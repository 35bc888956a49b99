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
  type NamedTensor,
} from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  artifactsOf,
  classifier,
  codeOf,
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

/** Copies weights, as a checkpoint does. */
async function copyOf(weights: NamedTensor[]): Promise<NamedTensor[]> {
  return Promise.all(
    weights.map(async ({ name, tensor }) => ({
      name,
      tensor: tf.tensor((await tensor.data()).slice(), tensor.shape, tensor.dtype),
    })),
  );
}

describe("getWeights and setWeights", () => {
  const gradient = (...values: number[]): tf.Tensor => tf.tensor(values);
  const stepped = async (): Promise<NamedTensor[]> => {
    variable([1, 1], [2], "a");
    variable([1], [1], "b");
    const optimizer = adam({ learningRate: 0.1 });
    optimizer.applyGradients({ a: gradient(1, -2), b: gradient(3) });
    tf.disposeVariables();
    return copyOf(await optimizer.getWeights());
  };

  test("before the first step there is only iter, a scalar int32", async () => {
    const weights = await adam().getWeights();
    expect(weights.map(({ name, tensor }) => [name, tensor.dtype, tensor.shape])).toEqual([
      ["iter", "int32", []],
    ]);
    expect([...weights[0].tensor.dataSync()]).toEqual([0]);
  });

  test("getWeights returns what setWeights was given, before any step", async () => {
    const weights = await stepped();
    const optimizer = adam();
    await optimizer.setWeights(weights);
    expect(optimizer.iterations).toBe(1);
    const again = await optimizer.getWeights();
    expect(again.map(({ name, tensor }) => [name, ...tensor.dataSync()])).toEqual(
      weights.map(({ name, tensor }) => [name, ...tensor.dataSync()]),
    );
  });

  test("a snapshot: later steps do not change it, and it can be restored", async () => {
    variable([1, 1], [2], "a");
    const optimizer = adam();
    optimizer.applyGradients({ a: gradient(1, 2) });
    const weights = await optimizer.getWeights();
    const before = Array.from(weights[1].tensor.dataSync());
    optimizer.applyGradients({ a: gradient(5, 5) });
    expect(Array.from(weights[1].tensor.dataSync())).toEqual(before);
    await optimizer.setWeights(weights);
    expect(optimizer.iterations).toBe(1);
    expect(Array.from((await optimizer.getWeights())[1].tensor.dataSync())).toEqual(before);
  });

  test("the step count of a group whose `every` was set is saved", async () => {
    const run = async (
      next: (first: GradstepOptimizer) => Promise<GradstepOptimizer>,
    ): Promise<number[]> => {
      const v = variable([1, 1], [2], "v");
      const first = adam({ learningRate: 0.1 }, { groups: [{ match: "v" }] });
      for (let i = 0; i < 4; i += 1) first.applyGradients({ v: gradient(1, i) });
      first.groups[0].every = 3;
      const optimizer = await next(first);
      for (let i = 0; i < 5; i += 1) optimizer.applyGradients({ v: gradient(2, -i) });
      const values = Array.from(v.dataSync());
      tf.disposeVariables();
      return [optimizer.iterations, optimizer.groups[0].iterations, ...values];
    };
    const expected = await run(async (first) => first);
    expect(expected.slice(0, 2)).toEqual([9, 6]);
    const resume = async (first: GradstepOptimizer): Promise<GradstepOptimizer> => {
      const resumed = adam({ learningRate: 0.1 }, { groups: [{ match: "v", every: 3 }] });
      const weights = await copyOf(await first.getWeights());
      await resumed.setWeights(weights);
      expect(await codeOf(() => adam().setWeights(weights))).toBe("STATE_MISMATCH");
      return resumed;
    };
    expect(await run(resume)).toEqual(expected);
  });

  test("the state of variables that are missing is kept", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1], [1], "b");
    variable([1], [1], "c");
    optimizer.applyGradients({ b: gradient(1), c: gradient(1) });
    const weights = await optimizer.getWeights();
    expect(weights.map(({ name }) => name)).toEqual(
      ["iter", "a/m", "b/m", "c/m", "a/v", "b/v", "c/v"].slice(0, 7),
    );
    expect(weights[1].tensor.dataSync()[1]).toBeCloseTo(-0.2, 6);
    expect(weights[2].tensor.dataSync()[0]).toBeCloseTo(0.3 * 0.9 + 0.1, 6);
  });

  test("names that TF.js numbered to make them unique find their state", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1], [1], "b_7");
    variable([1, 1], [2], "a_12");
    optimizer.applyGradients({ b_7: gradient(0), a_12: gradient(0, 0) });
    const [, a, b] = await optimizer.getWeights();
    expect(a.tensor.dataSync()[1]).toBeCloseTo(-0.18, 6);
    expect(b.tensor.dataSync()[0]).toBeCloseTo(0.27, 6);
  });

  test("without a known name, state is assigned by position if all shapes agree; otherwise it is an error", async () => {
    const weights = await stepped();
    const fits = adam();
    await fits.setWeights(weights);
    variable([1, 1], [2], "x");
    variable([1], [1], "y");
    fits.applyGradients({ x: gradient(0, 0), y: gradient(0) });
    expect((await fits.getWeights())[2].tensor.dataSync()[0]).toBeCloseTo(0.27, 6);

    const differs = adam();
    await differs.setWeights(weights);
    const act = (): void => differs.applyGradients({ y: gradient(0), x: gradient(0, 0) });
    expect(await codeOf(act)).toBe("STATE_MISMATCH");
    expect(differs.iterations).toBe(1);
  });

  test("variables without names are matched in order, whatever their numbers", async () => {
    const first = [variable([1, 1], [2]), variable([1], [1])];
    const optimizer = adam();
    optimizer.applyGradients({ [first[0].name]: gradient(1, 2), [first[1].name]: gradient(3) });
    const weights = await copyOf(await optimizer.getWeights());
    // In another process the numbers differ; here the second variable has the number that the first had.
    const shifted = weights.map(({ name, tensor }) => ({
      name: name.replace(/^\d+/, (number) => String(Number(number) + 1)),
      tensor,
    }));
    const resumed = adam();
    await resumed.setWeights(shifted);
    resumed.applyGradients({
      [first[0].name]: gradient(0, 0),
      [first[1].name]: gradient(0),
    });
    const [, a, b] = await resumed.getWeights();
    expect(Array.from(a.tensor.dataSync())[1]).toBeCloseTo(0.18, 6);
    expect(Array.from(b.tensor.dataSync())[0]).toBeCloseTo(0.27, 6);
    variable([1], [1]);
    const unclear = adam();
    await unclear.setWeights(shifted);
    const alone = variable([1], [1]);
    expect(await codeOf(() => unclear.applyGradients({ [alone.name]: gradient(1) }))).toBe(
      "STATE_MISMATCH",
    );
  });

  test("a state of the same name and another shape is an error", async () => {
    const optimizer = adam();
    await optimizer.setWeights(await stepped());
    variable([1, 1, 1], [3], "a");
    const act = (): void => optimizer.applyGradients({ a: gradient(1, 1, 1) });
    expect(await codeOf(act)).toBe("STATE_MISMATCH");
  });

  const wrong: [string, (weights: NamedTensor[]) => NamedTensor[]][] = [
    ["no iter", (weights) => weights.slice(1)],
    ["a slot is missing", (weights) => weights.slice(0, -1)],
    ["an unknown slot", (weights) => [...weights, { name: "a/x", tensor: tf.ones([2]) }]],
    ["a name without a slot", (weights) => [...weights, { name: "m", tensor: tf.ones([2]) }]],
    [
      "slots of other shapes",
      ([iter, ...rest]) => [iter, { name: rest[0].name, tensor: tf.ones([5]) }, ...rest.slice(1)],
    ],
    [
      "a negative iter",
      ([, ...rest]) => [{ name: "iter", tensor: tf.scalar(-1, "int32") }, ...rest],
    ],
    ["a slot twice", (weights) => [...weights, weights[1]]],
    ["nothing", () => []],
    ["null in the list", (weights) => [...weights, null as never]],
    ["a weight without a tensor", (weights) => [...weights, { name: "b/m" } as never]],
    ["a weight without a name", ([iter, { tensor }]) => [iter, { tensor } as never]],
    [
      "steps of groups that are none",
      (weights) => [...weights, { name: "gradstep/iterations", tensor: tf.tensor([-1], [1]) }],
    ],
  ];
  test.each(wrong)("%s: STATE_MISMATCH, and nothing changes", async (_, change) => {
    const weights = await stepped();
    const optimizer = adam();
    expect(await codeOf(() => optimizer.setWeights(change(weights)))).toBe("STATE_MISMATCH");
    expect(optimizer.iterations).toBe(0);
    expect(await optimizer.getWeights()).toHaveLength(1);
  });

  const malformed: [string, () => tf.Tensor][] = [
    ["half a number", () => tf.tensor([1, 1, 1], [3], "int32")],
    ["floats", () => tf.tensor([1, 1])],
    ["NaN", () => tf.tensor([-1, -1], [2], "int32")],
  ];
  test.each(malformed)(
    "a persistent scalar of %s: STATE_MISMATCH, and nothing changes",
    async (_, persistentScalars) => {
      const weights = [
        ...(await stepped()),
        { name: "gradstep/persistentScalars", tensor: persistentScalars() },
      ];
      const optimizer = nadam();
      expect(await codeOf(() => optimizer.setWeights(weights))).toBe("STATE_MISMATCH");
      expect((await optimizer.getWeights()).map(({ name }) => name)).toEqual([
        "iter",
        "gradstep/persistentScalars",
      ]);
    },
  );

  test("weights that were disposed of are DISPOSED", async () => {
    const weights = await stepped();
    weights[2].tensor.dispose();
    expect(await codeOf(() => adam().setWeights(weights))).toBe("DISPOSED");
  });

  test("the state of another model: the next step is an error and changes nothing", async () => {
    const weights = await stepped();
    const optimizer = adam();
    const c = variable([1], [1], "c");
    optimizer.applyGradients({ c: gradient(1) });
    const before = Array.from(c.dataSync());
    await optimizer.setWeights(weights);
    expect(await codeOf(() => optimizer.applyGradients({ c: gradient(1) }))).toBe("STATE_MISMATCH");
    expect(Array.from(c.dataSync())).toEqual(before);
  });

  test("the slots of another rule", async () => {
    const weights = await stepped();
    expect(await codeOf(() => sgd().setWeights(weights))).toBe("STATE_MISMATCH");
    expect(await codeOf(() => nadam().setWeights(weights))).toBe("STATE_MISMATCH");
  });
});

describe("checkpoints of TF.js's own optimizers", () => {
  const kinds: [string, Record<string, unknown>, () => tf.Optimizer][] = [
    ["adam", { learningRate: 0.01 }, () => tf.train.adam(0.01)],
    ["momentum", { learningRate: 0.1, momentum: 0.9 }, () => tf.train.momentum(0.1, 0.9)],
    ["momentum", { learningRate: 0.1, momentum: 0 }, () => tf.train.momentum(0.1, 0)],
    ["adagrad", { learningRate: 0.1 }, () => tf.train.adagrad(0.1)],
    ["rmsprop", { learningRate: 0.01 }, () => tf.train.rmsprop(0.01)],
    ["sgd", { learningRate: 0.1 }, () => tf.train.sgd(0.1)],
  ];
  test.each(sampled(kinds, 2))("are read: %s", async (name, settings, theirs) => {
    const data = samples();
    const run = async (next: () => tf.Optimizer): Promise<number[]> => {
      const model = classifier();
      const first = theirs();
      compileWith(model, first);
      await fit(model, data, 2);
      const second = next();
      await second.setWeights(await copyOf(await first.getWeights()));
      compileWith(model, second);
      return fit(model, data, 2);
    };
    const expected = await run(theirs);
    const got = await run(() => tfOptimizer(fromTfjs(name, settings)));
    got.forEach((loss, i) => expect(Math.abs(loss - expected[i])).toBeLessThan(1e-5));
  });
});
