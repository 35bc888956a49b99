import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  ema,
  linear,
  nadam,
  rmsprop,
  scheduleFreeSgd,
  sgd,
  warmup,
  type OptimizerSpec,
} from "@gradstep/core";
import { GradstepOptimizer, tfOptimizer, type TfOptimizerOptions } from "../src/index.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backends, codeOf, numbers, tf, variable } from "./support.js";

type Groups = NonNullable<TfOptimizerOptions["groups"]>;

const shapes: Readonly<Record<string, readonly number[]>> = {
  embedding: [6, 4],
  "dense/kernel": [4, 3],
  "dense/bias": [3],
  scale: [],
};

/** Variables with the same values in each call. */
function makeVariables(): tf.Variable[] {
  tf.disposeVariables();
  return Object.entries(shapes).map(([name, shape], i) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return variable(numbers(size, i + 1), [...shape], name);
  });
}

/** The step with this number, whose gradients depend on it alone. */
function step(optimizer: GradstepOptimizer, number: number, scale = 1): void {
  tf.tidy(() => {
    optimizer.applyGradients(
      Object.entries(shapes).map(([name, shape], i) => ({
        name,
        tensor: tf.tensor(
          numbers(
            shape.reduce((product, length) => product * length, 1),
            100 * number + i,
          ).map((value) => value * scale),
          [...shape],
        ),
      })),
    );
  });
}

const values = (variables: readonly tf.Variable[]): number[][] =>
  variables.map((one) => Array.from(one.dataSync()));

/** An optimizer from what TF.js saves of one, after JSON. */
function fromConfigOf(optimizer: GradstepOptimizer): GradstepOptimizer {
  const config = JSON.parse(JSON.stringify(optimizer.getConfig())) as ReturnType<
    GradstepOptimizer["getConfig"]
  >;
  return GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer, config);
}

/** The end of two runs: all steps of one optimizer, and half of them, a checkpoint, and the other half in a new one. */
async function runs(
  spec: OptimizerSpec,
  options: TfOptimizerOptions,
  scaleOf: (call: number) => number = () => 1,
): Promise<{ whole: unknown; resumed: unknown }> {
  const calls = 5;
  const whole = tfOptimizer(spec, options);
  const expected = makeVariables();
  for (let i = 0; i < 2 * calls; i += 1) step(whole, i, scaleOf(i));
  const wanted = values(expected);

  const first = tfOptimizer(spec, options);
  const variables = makeVariables();
  for (let i = 0; i < calls; i += 1) step(first, i, scaleOf(i));
  const weights = await first.getWeights();
  const second = fromConfigOf(first);
  await second.setWeights(weights);
  const namesOf = (list: Awaited<ReturnType<GradstepOptimizer["getWeights"]>>): string[] =>
    list.map(({ name }) => name).sort();
  expect(namesOf(await second.getWeights())).toEqual(namesOf(weights));
  for (let i = calls; i < 2 * calls; i += 1) step(second, i, scaleOf(i));
  const countersOf = ({ iterations, microSteps, skippedSteps, lossScale }: GradstepOptimizer) => ({
    iterations,
    microSteps,
    skippedSteps,
    lossScale,
  });
  return {
    whole: { values: wanted, ...countersOf(whole) },
    resumed: { values: values(variables), ...countersOf(second) },
  };
}

describe.each(backends)("checkpoints of groups with rules of their own, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  const vectors = ({ shape }: { shape: readonly number[] }): boolean => shape.length < 2;
  const cases: [string, OptimizerSpec, Groups][] = [
    [
      "rules with slots of the same names",
      adam({ learningRate: 0.1 }),
      [{ match: /bias/, rule: rmsprop({ learningRate: 0.05, momentum: 0.5 }) }],
    ],
    [
      "a rule without slots, and one whose slots are smaller than the parameter",
      sgd({ learningRate: 0.1 }),
      [{ match: "embedding", rule: adafactor({ learningRate: 0.05 }) }],
    ],
    [
      "the optimizer's rule smaller than the parameter, by number of dimensions",
      adafactor({ learningRate: 0.05 }),
      [{ match: vectors, rule: adam({ learningRate: linear(0.1, 0, 8) }) }],
    ],
    [
      "persistent scalars in one of them, and a momentum that a group sets",
      adam({ learningRate: 0.1 }),
      [
        { match: "dense/kernel", rule: nadam({ learningRate: 0.1 }) },
        { match: "scale", rule: sgd({ learningRate: 0.1 }), momentum: 0.75 },
        { match: "embedding", learningRate: 0.02 },
      ],
    ],
    [
      "persistent scalars in both, and a group with fewer steps",
      nadam({ learningRate: 0.1 }),
      [
        { match: "dense/kernel", rule: scheduleFreeSgd({ learningRate: 0.1 }) },
        { match: "scale", every: 2 },
      ],
    ],
    [
      "a frozen group",
      adam({ learningRate: 0.1 }),
      [
        { match: "embedding", frozen: true },
        { match: "scale", rule: sgd({ learningRate: 0.1 }) },
      ],
    ],
  ];
  test.each(cases)("%s: N + N steps are 2N steps, bit for bit", async (_, spec, groups) => {
    const { whole, resumed } = await runs(spec, { groups });
    expect(resumed).toEqual(whole);
  });
});

describe.each(backends)("checkpoints of calls and steps, %s", (backend) => {
  beforeEach(async () => {
    await tf.setBackend(backend);
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  const overflowAt =
    (...calls: readonly number[]) =>
    (call: number): number =>
      calls.includes(call) ? Infinity : 1;
  const cases: [string, OptimizerSpec, TfOptimizerOptions, ((call: number) => number)?][] = [
    ["two of three calls", adam({ learningRate: 0.1 }), { accumulate: 3 }],
    ["calls of a rule without slots", sgd({ learningRate: 0.1 }), { accumulate: 3 }],
    ["calls of a rule with small slots", adafactor({ learningRate: 0.1 }), { accumulate: 4 }],
    [
      "calls of two rules, and a schedule",
      sgd({ learningRate: linear(0.1, 0, 3) }),
      { accumulate: 4, groups: [{ match: /dense/, rule: adam({ learningRate: 0.1 }) }] },
    ],
    [
      "a dynamic loss scale after skipped steps",
      adam({ learningRate: 0.1 }),
      { lossScale: { initial: 2 ** 10, growthInterval: 2 } },
      overflowAt(1, 4, 5),
    ],
    [
      "a constant loss scale and two of four calls, of which one is not finite",
      adam({ learningRate: 0.1 }),
      { lossScale: 4, accumulate: 4 },
      overflowAt(5),
    ],
    [
      "averages of the weights",
      chain(
        clipByGlobalNorm(0.5),
        adam({ learningRate: warmup(3, cosineDecay(0.1, 12)) }),
        ema(0.5),
      ),
      {},
    ],
  ];
  test.each(cases)(
    "%s: N + N calls are 2N calls, bit for bit",
    async (_, spec, options, scaleOf) => {
      const { whole, resumed } = await runs(spec, options, scaleOf);
      expect(resumed).toEqual(whole);
    },
  );

  test("restoring between swap() and swap() is SWAPPED, and nothing changes", async () => {
    const optimizer = tfOptimizer(chain(adam({ learningRate: 0.1 }), ema(0.5)));
    const variables = makeVariables();
    for (let i = 0; i < 3; i += 1) step(optimizer, i);
    const weights = await optimizer.getWeights();
    const trained = values(variables);
    optimizer.swap();
    expect(await codeOf(() => optimizer.getWeights())).toBe("SWAPPED");
    expect(await codeOf(() => optimizer.setWeights(weights))).toBe("SWAPPED");
    optimizer.swap();
    expect(values(variables)).toEqual(trained);
  });
});

test("weights with more calls than accumulate has are STATE_MISMATCH, and nothing changes", async () => {
  await tf.setBackend("cpu");
  makeVariables();
  const saved = tfOptimizer(adam(), { accumulate: 4 });
  for (let i = 0; i < 3; i += 1) step(saved, i);
  const weights = await saved.getWeights();
  expect(weights.map(({ name }) => name)).toContain("dense/bias/accumulated-gradient");
  for (const options of [{}, { accumulate: 2 }]) {
    const other = tfOptimizer(adam(), options);
    expect(await codeOf(() => other.setWeights(weights))).toBe("STATE_MISMATCH");
    expect((await other.getWeights())[1]?.name).not.toBe("embedding/m");
  }
  const half = weights.map((one) =>
    one.name === "gradstep/stepControl" ? { ...one, tensor: tf.tensor([1, 2], [2], "int32") } : one,
  );
  const other = tfOptimizer(adam(), { accumulate: 4 });
  expect(await codeOf(() => other.setWeights(half))).toBe("STATE_MISMATCH");
  expect(other.microSteps).toBe(0);
});

test("weights of another rule in a group are STATE_MISMATCH, and nothing changes", async () => {
  await tf.setBackend("cpu");
  const variables = makeVariables();
  const groups: Groups = [{ match: /bias/, rule: rmsprop({ learningRate: 0.25 }) }];
  const saved = tfOptimizer(adam(), { groups });
  step(saved, 0);
  const weights = await saved.getWeights();
  const other = tfOptimizer(adam(), { groups: [{ match: /kernel/, rule: groups[0].rule! }] });
  step(other, 0);
  const before = values(variables);
  const names = (await other.getWeights()).map(({ name }) => name);
  expect(await codeOf(() => other.setWeights(weights))).toBe("STATE_MISMATCH");
  const withoutShapes = weights.filter(({ name }) => name !== "gradstep/shapes");
  expect(await codeOf(() => other.setWeights(withoutShapes))).toBe("STATE_MISMATCH");
  expect((await other.getWeights()).map(({ name }) => name)).toEqual(names);
  expect([other.iterations, values(variables)]).toEqual([1, before]);
});
