import { learningRateSchedule } from "../src/training/learning-rate-schedule.js";
import { type Run } from "@gradstep/digits";
import { memory } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { useBackend } from "../src/backend.js";
import { compare } from "../src/comparison/compare.js";
import { digits, optionsOf, trainWith } from "./few-digits.js";

beforeAll(() => useBackend("wasm"));

describe("the learning rate", () => {
  const hundred = ["--epochs=10", "--batch-size=40", "--learning-rate=0.5"];

  test("falls along half a cosine to a fiftieth", () => {
    const schedule = learningRateSchedule(optionsOf(...hundred), 400);
    expect(schedule.valueAt(0)).toBe(0.5);
    expect(schedule.valueAt(50)).toBeCloseTo(0.255, 12);
    expect(schedule.valueAt(100)).toBeCloseTo(0.01, 12);
  });

  test("falls within the steps, of which there are fewer than batches with --accumulate", () => {
    const schedule = learningRateSchedule(optionsOf(...hundred, "--accumulate=4"), 400);
    expect(schedule.valueAt(25)).toBeCloseTo(0.01, 12);
  });

  slowTest("of a training follows --schedule, for TF.js's Adam too", async () => {
    const options = optionsOf(
      "--epochs=1",
      "--batch-size=40",
      "--learning-rate=0.004",
      "--schedule=warmup(4, linear(learningRate, 0, steps - 4))",
    );
    const expected = [0, 0.001, 0.002, 0.003, ...[6, 5, 4, 3, 2, 1].map((k) => (0.004 * k) / 6)];
    const stop = new AbortController();
    const { backends } = await compare(
      { digits, options, chosen: "wasm", signal: stop.signal },
      () => ({
        gradstep: {},
        "TF.js": { onEpoch: () => stop.abort() },
      }),
    );
    const { gradstep, "TF.js": tfjs } = backends[0].runs;
    expect(gradstep.learningRates).toHaveLength(10);
    gradstep.learningRates.forEach((rate, batch) => expect(rate).toBeCloseTo(expected[batch], 12));
    expect(tfjs.learningRates).toEqual(gradstep.learningRates);
    expect(gradstep.history[0].learningRate).toBe(gradstep.learningRates[9]);
    expect(backends[0].lossDifference).toBeLessThan(1e-4);
    await useBackend("wasm");
  });
});

test("--clip limits the step: with a tiny norm, SGD leaves the network as it was", async () => {
  const options = optionsOf("--optimizer=sgd", "--schedule=0.5", "--clip=1e-6", "--epochs=1");
  const evaluated = async (clip?: number, signal?: AbortSignal): Promise<number> => {
    return (await trainWith({ ...options, clip }, { signal })).evaluation.loss;
  };
  const untrained = await evaluated(undefined, AbortSignal.abort());
  const trained = await evaluated();
  expect(await evaluated(1e-6)).toBeCloseTo(untrained, 4);
  expect(untrained - trained).toBeGreaterThan(0.1);
  // A norm that no gradient has changes nothing.
  expect(await evaluated(1e6)).toBe(trained);
});

describe("--ema", () => {
  const args = ["--epochs=2", "--batch-size=40", "--seed=3"];
  const run = (momentum: number | undefined): Promise<Run> => {
    const options = { ...optionsOf(...args), ema: momentum };
    return trainWith(options);
  };

  slowTest("evaluates with averages of the weights, and trains with the weights", async () => {
    const [plain, averaged, last] = [await run(undefined), await run(0.9), await run(0)];
    expect(averaged.batchLosses).toEqual(plain.batchLosses);
    expect(averaged.history[1].validationLoss).not.toBe(plain.history[1].validationLoss);
    expect(averaged.evaluation.loss).toBeCloseTo(averaged.history[1].validationLoss, 5);
    // With momentum 0 the average is the weights themselves.
    expect(last.evaluation).toEqual(plain.evaluation);
    expect(last.history.map(({ validationLoss }) => validationLoss)).toEqual(
      plain.history.map(({ validationLoss }) => validationLoss),
    );
  });

  slowTest(
    "with a momentum close to 1 evaluates the weights of the first step, and not of the last",
    async () => {
      const [averaged, plain] = [await run(0.9999), await run(undefined)];
      expect(averaged.evaluation.accuracy).toBeLessThan(0.4);
      expect(plain.evaluation.accuracy).toBeGreaterThan(0.5);
    },
  );

  test("leaves no tensors, and can be stopped before the first step", async () => {
    await run(0.9);
    const before = memory().numTensors;
    await run(0.9);
    const options = { ...optionsOf(...args), ema: 0.9 };
    const { history } = await trainWith(options, { signal: AbortSignal.abort() });
    expect(history).toEqual([]);
    expect(memory().numTensors).toBe(before);
  });
});

describe("--loss-scale", () => {
  const args = ["--epochs=1", "--batch-size=40", "--seed=3"];
  const run = (...more: string[]): Promise<Run> => {
    const options = optionsOf(...args, ...more);
    return trainWith(options);
  };

  slowTest(
    "of a power of two changes no loss: f32 multiplies and divides by it exactly",
    async () => {
      const [scaled, plain] = [await run("--loss-scale=1024"), await run()];
      expect(scaled.batchLosses).toEqual(plain.batchLosses);
      expect(scaled.history[0].validationLoss).toBe(plain.history[0].validationLoss);
      expect(scaled.evaluation).toEqual(plain.evaluation);
      expect([scaled.steps, scaled.skippedSteps]).toEqual([10, 0]);
    },
  );

  test("dynamic starts at 2 to the power of 15", async () => {
    const [dynamic, fixed] = [await run("--loss-scale=dynamic"), await run("--loss-scale=32768")];
    expect(dynamic.batchLosses).toEqual(fixed.batchLosses);
  });
});

test("--non-finite skip leaves out steps with gradients that are not finite", async () => {
  const args = ["--optimizer=sgd", "--schedule=1e30", "--epochs=1", "--batch-size=40"];
  const options = optionsOf(...args, "--non-finite=skip");
  const { steps, skippedSteps, batchLosses } = await trainWith(options);
  // The first step makes weights of 1e28, with which no gradient is finite.
  expect([steps, skippedSteps, batchLosses.length]).toEqual([1, 9, 10]);
});

test("--non-finite throw ends a training at the first gradient that is not finite", async () => {
  const options = optionsOf(
    "--optimizer=sgd",
    "--schedule=1e30",
    "--epochs=1",
    "--non-finite=throw",
  );
  await expect(trainWith(options)).rejects.toMatchObject({
    code: "NON_FINITE",
  });
});

slowTest(
  "--accumulate takes a step after that many batches, with the rate of the schedule for it",
  async () => {
    const options = optionsOf(
      "--accumulate=4",
      "--epochs=1",
      "--batch-size=40",
      "--schedule=linear(2e-3, 0, steps)",
    );
    const run = await trainWith(options);
    // Ten batches make two steps, and two that are left over.
    expect([run.batchLosses.length, run.steps]).toEqual([10, 2]);
    expect(run.learningRates).toEqual([2e-3, 2e-3, 2e-3, 2e-3, 1e-3, 1e-3, 1e-3, 1e-3, 0, 0]);
  },
);
