import "@tensorflow/tfjs-backend-webgpu";
import {
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  ema,
  nadam,
  sgd,
  warmup,
  type OptimizerSpec,
} from "@gradstep/core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { tfOptimizer, type TfOptimizerOptions } from "../../src/index.js";
import { codeOf, numbers, tf, variable } from "../support.js";
import { callsOf, ownBuffers, watchCalls } from "./calls.js";
import { describe } from "./describe.js";
import { computed, valuesOf } from "./tensors.js";

const shapes = { kernel: [6, 4], bias: [4] } as const;

type Gradients = Readonly<Record<keyof typeof shapes, Float32Array>>;

function gradientsOf(step: number): Gradients {
  return { kernel: numbers(24, step), bias: numbers(4, 100 + step) };
}

/** The same with a value that is not finite. */
function notFinite(step: number): Gradients {
  const gradients = gradientsOf(step);
  gradients[step % 2 === 0 ? "kernel" : "bias"][step % 4] = [Number.NaN, Infinity][step % 2];
  return gradients;
}

/** An optimizer with variables of its own. */
function start(spec: OptimizerSpec, options: TfOptimizerOptions, id: string) {
  const optimizer = tfOptimizer(spec, options);
  const variables = Object.entries(shapes).map(([name, shape], i) =>
    variable(numbers(shape[0] * (shape[1] ?? 1), i + 1), [...shape], `${id}/${name}`),
  );
  const step = (gradients: Gradients, scale = 1): void =>
    tf.tidy(() => {
      optimizer.applyGradients(
        Object.entries(shapes).map(([name, shape]) => ({
          name: `${id}/${name}`,
          tensor: computed(
            gradients[name as keyof typeof shapes].map((value) => value * scale),
            [...shape],
          ),
        })),
      );
    });
  const values = async (): Promise<unknown> => {
    const { slots, iterations } = await optimizer.state();
    const ofSlots = Object.values(slots).flatMap((all) =>
      Object.values(all).map((one) => [...one]),
    );
    return [await Promise.all(variables.map(valuesOf)), ofSlots, iterations];
  };
  return { optimizer, step, values };
}

const spec = chain(
  clipByGlobalNorm(0.5),
  adamw({ learningRate: warmup(3, cosineDecay(0.1, 30)), weightDecay: 0.1 }),
  ema(0.5),
);

describe("steps with gradients that are not finite, webgpu", () => {
  beforeAll(watchCalls);
  beforeEach(async () => {
    await tf.setBackend("webgpu");
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  test.each<readonly [string, OptimizerSpec, TfOptimizerOptions]>([
    ["clipped adamw with a schedule", spec, {}],
    ["nadam", nadam({ learningRate: 0.1 }), {}],
    ["accumulate", spec, { accumulate: 2 }],
    ["groups", spec, { groups: [{ match: /bias/, rule: sgd({ learningRate: 0.1 }) }] }],
  ])("skip: the bits of a run without them, and nothing is read; %s", async (_, rule, options) => {
    const skipping = start(rule, { ...options, nonFinite: "skip" }, "a");
    const plain = start(rule, options, "b");
    const { accumulate = 1 } = options;
    const { mapAsync } = callsOf(() => {
      for (let i = 0; i < 12; i += 1) {
        const isBad = i % 3 === 1;
        for (let k = 0; k < accumulate; k += 1) {
          const gradients = isBad && k === 0 ? notFinite(i) : gradientsOf(2 * i + k);
          skipping.step(gradients);
          if (!isBad) plain.step(gradients);
        }
      }
    });
    expect(mapAsync).toBe(0);
    expect(await skipping.optimizer.metrics()).toMatchObject({ skippedSteps: 4 });
    expect(await skipping.values()).toEqual(await plain.values());
    for (const { optimizer } of [skipping, plain]) optimizer.dispose();
  });

  test("dispose frees what the device decides with", () => {
    const plain = start(adamw(), {}, "b");
    plain.step(gradientsOf(0));
    plain.optimizer.dispose();
    const before = ownBuffers();
    const { optimizer, step } = start(adamw(), { lossScale: "dynamic" }, "a");
    step(gradientsOf(0));
    expect(ownBuffers()).toBeGreaterThan(before);
    optimizer.dispose();
    expect(ownBuffers()).toBe(before);
  });

  test("throw: metrics() rejects, and the step and those after it changed nothing", async () => {
    const throwing = start(spec, { nonFinite: "throw" }, "a");
    const plain = start(spec, {}, "b");
    for (let i = 0; i < 5; i += 1) {
      throwing.step(i === 3 ? notFinite(i) : gradientsOf(i));
      if (i < 3) plain.step(gradientsOf(i));
    }
    await expect(throwing.optimizer.metrics()).rejects.toMatchObject({ code: "NON_FINITE" });
    expect(await throwing.values()).toEqual(await plain.values());
    for (const { optimizer } of [throwing, plain]) optimizer.dispose();
  });

  test("minimize multiplies the loss by the scale of the device, of which the host has not heard", async () => {
    const x = variable([3], [1], "x");
    const optimizer = tfOptimizer(sgd({ learningRate: 0.25 }), {
      lossScale: { initial: 8, growthInterval: 2 },
    });
    const losses: (tf.Scalar | null)[] = [];
    const factors = [1, Infinity, 1, 1, Infinity, 1];
    for (const factor of factors)
      losses.push(
        optimizer.minimize(() => tf.tidy(() => tf.sum(tf.mul(tf.square(x), factor))), true),
      );
    // x ← x − 0.25 · 2 x at the steps that are taken; the loss is that without the scale.
    expect(await valuesOf(x)).toEqual([3 / 2 ** 4]);
    const values = await Promise.all(losses.map((loss) => valuesOf(loss!)));
    expect(values.flat()).toEqual([9, Infinity, 9 / 4, 9 / 16, Infinity, 9 / 64]);
    expect(optimizer.lossScale).toBe(8);
    expect(await optimizer.metrics()).toMatchObject({ lossScale: 4, skippedSteps: 2 });
    expect([optimizer.lossScale, optimizer.iterations]).toEqual([4, 4]);
    optimizer.dispose();
  });

  test("the weights have the counts of the device, and another optimizer goes on", async () => {
    const first = start(spec, { lossScale: "dynamic" }, "a");
    for (let i = 0; i < 5; i += 1)
      first.step(i === 2 ? notFinite(i) : gradientsOf(i), i < 2 ? 2 ** 15 : 2 ** 14);
    const weights = await first.optimizer.getWeights();
    const plain = start(spec, {}, "b");
    for (let i = 0; i < 5; i += 1) if (i !== 2) plain.step(gradientsOf(i));
    expect(await first.values()).toEqual(await plain.values());
    const second = tfOptimizer(spec, { lossScale: "dynamic" });
    await second.setWeights(weights);
    expect([second.lossScale, second.skippedSteps, second.iterations]).toEqual([2 ** 14, 1, 4]);
    first.optimizer.dispose();
    plain.optimizer.dispose();
    second.dispose();
  });

  test("an optimizer that began on cpu goes on, and cannot go back", async () => {
    await tf.setBackend("cpu");
    const moved = start(sgd(), { nonFinite: "skip" }, "a");
    const plain = start(sgd(), {}, "b");
    moved.step(gradientsOf(0));
    moved.step(notFinite(1));
    plain.step(gradientsOf(0));
    await tf.setBackend("webgpu");
    moved.step(notFinite(2));
    moved.step(gradientsOf(3));
    plain.step(gradientsOf(3));
    expect(await moved.optimizer.metrics()).toMatchObject({ skippedSteps: 2 });
    expect(await moved.values()).toEqual(await plain.values());
    await tf.setBackend("cpu");
    expect(await codeOf(() => moved.step(gradientsOf(4)))).toBe("UNSUPPORTED");
    for (const { optimizer } of [moved, plain]) optimizer.dispose();
  });
});
