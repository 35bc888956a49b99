import "@tensorflow/tfjs-backend-webgpu";
import { adamw, chain, clipByGlobalNorm, cosineDecay, ema, sgd, warmup } from "@gradstep/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tfOptimizer, type GradstepOptimizer } from "../../src/index.js";
import { numbers, tf, variable } from "../support.js";
import { describe } from "./describe.js";

const shapes = { kernel: [6, 4], bias: [4], scale: [4] };

/** Steps with gradients that depend on their numbers, on the current backend. */
async function run(optimizer: GradstepOptimizer, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step += 1) {
    const gradients = Object.entries(shapes).map(([name, shape], i) => ({
      name,
      tensor: tf.tensor(numbers(shape[0] * (shape[1] ?? 1), 10 * step + i), shape),
    }));
    optimizer.applyGradients(gradients);
    tf.dispose(gradients.map(({ tensor }) => tensor));
  }
}

function makeVariables(): tf.Variable[] {
  tf.disposeVariables();
  return Object.entries(shapes).map(([name, shape], i) =>
    variable(numbers(shape[0] * (shape[1] ?? 1), i + 1), shape, name),
  );
}

const valuesOf = async (variables: readonly tf.Variable[]): Promise<number[]> =>
  (await Promise.all(variables.map((one) => one.data()))).flatMap((one) => [...one]);

const make = (): GradstepOptimizer =>
  tfOptimizer(
    chain(
      clipByGlobalNorm(0.5),
      adamw({ learningRate: warmup(2, cosineDecay(0.1, 10)), weightDecay: 0.1 }),
      ema(0.5),
    ),
    {
      accumulate: 2,
      groups: [
        { match: "bias", weightDecay: 0 },
        { match: "scale", rule: sgd({ learningRate: 0.1 }), momentum: 0.5 },
      ],
    },
  );

describe("training loops, webgpu", () => {
  beforeEach(async () => {
    await tf.setBackend("webgpu");
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test("clipping, schedules, accumulation and groups give the numbers of the cpu backend, and resume", async () => {
    const variables = makeVariables();
    const first = make();
    await run(first, 0, 5);
    const weights = await first.getWeights();
    expect(weights.map(({ name }) => name)).toContain("bias/accumulated-gradient");
    const second = make();
    await second.setWeights(weights);
    await run(second, 5, 10);
    const resumed = await valuesOf(variables);

    const again = makeVariables();
    const whole = make();
    await run(whole, 0, 10);
    expect(await valuesOf(again)).toEqual(resumed);
    const norm = (await whole.metrics()).globalNorm as number;

    await tf.setBackend("cpu");
    const onCpu = makeVariables();
    const other = make();
    await run(other, 0, 10);
    const expected = await valuesOf(onCpu);
    resumed.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
    expect((await other.metrics()).globalNorm).toBeCloseTo(norm, 5);
    for (const one of [first, second, whole, other]) one.dispose();
  });
});
