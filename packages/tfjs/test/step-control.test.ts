import {
  adam,
  clipByGlobalNorm,
  chain,
  scheduleFreeSgd,
  sgd,
  type OptimizerSpec,
} from "@gradstep/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GradstepOptimizer, tfOptimizer } from "../src/index.js";
import { backends, codeOf, numbers, tf, variable } from "./support.js";

afterEach(() => tf.disposeVariables());

/** Values of two variables after steps with these gradients, each of which may be changed. */
function valuesAfter(
  spec: OptimizerSpec,
  steps: readonly ((gradient: Float32Array) => Float32Array)[],
): { values: readonly Float32Array[]; skipped: number; iterations: number; lossScale: number } {
  const optimizer = tfOptimizer(spec);
  const variables = [6, 9].map((size, i) => variable(numbers(size, i), [3, size / 3]));
  steps.forEach((change, step) => {
    tf.tidy(() => {
      optimizer.applyGradients(
        variables.map(({ name, shape, size }, i) => ({
          name,
          tensor: tf.tensor(change(numbers(size, 10 * step + i)), shape),
        })),
      );
    });
  });
  const values = variables.map((one) => one.dataSync<"float32">().slice());
  const { skippedSteps: skipped, iterations, lossScale } = optimizer;
  optimizer.dispose();
  tf.dispose(variables);
  return { values, skipped, iterations, lossScale };
}

const spec = chain(clipByGlobalNorm(1), adam({ learningRate: 0.1 }));
const same = (gradient: Float32Array): Float32Array => gradient;
const withOne =
  (value: number) =>
  (gradient: Float32Array): Float32Array =>
    gradient.map((one, i) => (i === gradient.length - 1 ? value : one));
const times =
  (factor: number) =>
  (gradient: Float32Array): Float32Array =>
    gradient.map((value) => value * factor);

describe.each(backends)("steps with gradients that are not finite, on %s", (backend) => {
  beforeEach(() => tf.setBackend(backend));

  test.each([Number.NaN, Infinity, -Infinity])("%d: are skipped", (value) => {
    const skipping = { ...spec, control: { nonFinite: "skip" as const } };
    const got = valuesAfter(skipping, [same, withOne(value), same]);
    expect([got.skipped, got.iterations]).toEqual([1, 2]);
    // The same without that step.
    const optimizer = tfOptimizer(spec);
    const variables = [6, 9].map((size, i) => variable(numbers(size, i), [3, size / 3]));
    for (const step of [0, 2]) {
      tf.tidy(() => {
        optimizer.applyGradients(
          variables.map(({ name, shape, size }, i) => ({
            name,
            tensor: tf.tensor(numbers(size, 10 * step + i), shape),
          })),
        );
      });
    }
    expect(got.values).toEqual(variables.map((one) => one.dataSync()));
    optimizer.dispose();
  });

  test("throw NON_FINITE with that option, and change nothing", async () => {
    const optimizer = tfOptimizer({ ...spec, control: { nonFinite: "throw" } });
    const w = variable([1, 2, 3], [3], "w");
    const step = (values: number[]): void =>
      tf.tidy(() => optimizer.applyGradients({ w: tf.tensor(values) }));
    step([1, 2, 3]);
    const before = w.dataSync().slice();
    expect(await codeOf(() => step([1, Number.NaN, 3]))).toBe("NON_FINITE");
    expect(w.dataSync()).toEqual(before);
    expect(optimizer.iterations).toBe(1);
    optimizer.dispose();
  });

  test("make the loss scale smaller; finite ones are divided by it", () => {
    const scaled = {
      ...spec,
      control: { lossScale: { initial: 8, growthInterval: 2 } },
    };
    const got = valuesAfter(scaled, [times(8), withOne(Infinity), times(4), times(4)]);
    // Halved once, doubled after two good steps in a row.
    expect([got.skipped, got.iterations, got.lossScale]).toEqual([1, 3, 8]);
    const unscaled = { ...spec, control: { nonFinite: "skip" as const } };
    const expected = valuesAfter(unscaled, [same, withOne(Infinity), same, same]);
    expect(got.values).toEqual(expected.values);
    expect(expected.lossScale).toBe(1);
  });

  test("are part of the configuration", () => {
    const control = { accumulate: 2, nonFinite: "skip" as const };
    const optimizer = tfOptimizer({ ...spec, control });
    const copy = GradstepOptimizer.fromConfig(
      GradstepOptimizer,
      optimizer.getConfig(),
    ) as GradstepOptimizer;
    expect(copy.getConfig()).toEqual(optimizer.getConfig());
    variable([1, 2], [2], "w");
    for (const [step, expected] of [0, 1, 1].entries()) {
      tf.tidy(() => copy.applyGradients({ w: tf.tensor([1, 1]) }));
      expect([step, copy.iterations]).toEqual([step, expected]);
    }
    optimizer.dispose();
    copy.dispose();
  });

  test("drop what was accumulated", () => {
    const control = { nonFinite: "skip" as const, accumulate: 2 };
    const got = valuesAfter({ ...spec, control }, [same, same, same, withOne(Number.NaN)]);
    expect([got.skipped, got.iterations]).toEqual([1, 1]);
    const expected = valuesAfter({ ...spec, control }, [same, same]);
    expect(got.values).toEqual(expected.values);
  });
});

describe.each(backends)("calls without a gradient of some variables, on %s", (backend) => {
  beforeEach(() => tf.setBackend(backend));

  const call = (optimizer: tf.Optimizer, gradients: Readonly<Record<string, number>>): void =>
    tf.tidy(() => {
      const tensors = Object.entries(gradients).map(([name, value]) => [name, tf.fill([2], value)]);
      optimizer.applyGradients(Object.fromEntries(tensors) as tf.NamedTensorMap);
    });
  const valuesOf = (...variables: tf.Variable[]): number[][] =>
    variables.map((one) => [...one.dataSync()]);

  test("the step of several calls has the sum of those with one, divided by the number of calls", () => {
    const optimizer = tfOptimizer(sgd({ learningRate: 1 }), { accumulate: 2 });
    const [v, w] = ["v", "w"].map((name) => variable([1, 1], [2], name));
    call(optimizer, { v: 1, w: 1 });
    call(optimizer, { v: 3 });
    expect(valuesOf(v, w)).toEqual([
      [-1, -1],
      [0.5, 0.5],
    ]);
    expect([optimizer.iterations, optimizer.microSteps]).toEqual([1, 0]);
    call(optimizer, { v: 1 });
    call(optimizer, { w: 2 });
    expect(valuesOf(v, w)).toEqual([
      [-1.5, -1.5],
      [-0.5, -0.5],
    ]);
    call(optimizer, { v: 1, w: 8 });
    w.dispose();
    call(optimizer, { v: 1 });
    expect(valuesOf(v)).toEqual([[-2.5, -2.5]]);
  });

  test("also after a restart between them", async () => {
    const make = (): GradstepOptimizer => tfOptimizer(sgd({ learningRate: 1 }), { accumulate: 2 });
    const [v, w] = ["v", "w"].map((name) => variable([1, 1], [2], name));
    const before = make();
    call(before, { v: 1, w: 1 });
    const optimizer = make();
    optimizer.restore(await before.state());
    call(optimizer, { v: 3 });
    expect(valuesOf(v, w)).toEqual([
      [-1, -1],
      [0.5, 0.5],
    ]);
    const lost = make();
    lost.restore(await before.state());
    w.dispose();
    expect(await codeOf(() => call(lost, { v: 3 }))).toBe("STATE_MISMATCH");
    expect(lost.microSteps).toBe(1);
    const partial = make();
    partial.restore(await before.state(), { partial: true });
    call(partial, { v: 3 });
    expect(valuesOf(v)).toEqual([[-3, -3]]);
  });

  test.each([
    ["that was accumulated", { accumulate: 2 }, 1],
    ["that was skipped", { nonFinite: "skip" as const }, Infinity],
  ])("slots that start as the weights are saved after a call %s", async (_, control, first) => {
    const make = (): GradstepOptimizer =>
      tfOptimizer(scheduleFreeSgd({ learningRate: 0.5 }), control);
    const run = async (isSaved: boolean): Promise<number[][]> => {
      const w = variable([1, 2], [2], "w");
      let optimizer = make();
      call(optimizer, { w: first });
      if (isSaved) {
        const state = await optimizer.state();
        optimizer = make();
        optimizer.restore(state);
      }
      for (const value of [1, 2, 3]) call(optimizer, { w: value });
      const values = valuesOf(w);
      w.dispose();
      return values;
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
