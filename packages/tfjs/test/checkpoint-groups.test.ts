import {
  adafactor,
  adam,
  linear,
  nadam,
  rmsprop,
  scheduleFreeSgd,
  sgd,
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
function step(optimizer: GradstepOptimizer, number: number): void {
  tf.tidy(() => {
    optimizer.applyGradients(
      Object.entries(shapes).map(([name, shape], i) => ({
        name,
        tensor: tf.tensor(
          numbers(
            shape.reduce((product, length) => product * length, 1),
            100 * number + i,
          ),
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

/** Steps, a checkpoint into a new optimizer, and as many steps; compared with all steps of one optimizer. */
async function checkResumed(spec: OptimizerSpec, options: TfOptimizerOptions): Promise<void> {
  const calls = 5;
  const whole = tfOptimizer(spec, options);
  const expected = makeVariables();
  for (let i = 0; i < 2 * calls; i += 1) step(whole, i);
  const wanted = values(expected);

  const first = tfOptimizer(spec, options);
  const variables = makeVariables();
  for (let i = 0; i < calls; i += 1) step(first, i);
  const weights = await first.getWeights();
  const second = fromConfigOf(first);
  await second.setWeights(weights);
  expect((await second.getWeights()).map(({ name }) => name)).toEqual(
    weights.map(({ name }) => name),
  );
  for (let i = calls; i < 2 * calls; i += 1) step(second, i);
  expect(values(variables)).toEqual(wanted);
  expect(second.iterations).toBe(whole.iterations);
  for (const optimizer of [whole, first, second]) optimizer.dispose();
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
    await checkResumed(spec, { groups });
  });
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
