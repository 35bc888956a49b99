import { learningRateSchedule } from "../src/training/learning-rate-schedule.js";
import {
  pixelsPerDigit,
  type Digits,
  type DigitSet,
  optimizerFraction,
  type Run,
} from "@gradstep/digits";
import { type OptimizerName, optimizerNames, optimizers } from "@gradstep/digits/optimizers";
import { readDigits } from "@gradstep/digits/read";
import {
  evaluatePredictions,
  mistakes,
  digitNetwork,
  parameterCount,
  gradstepOptimizer,
  type TrainingOptimizer,
  train,
  type Training,
  TurnQueue,
} from "@gradstep/digits/training";
import { findGpu } from "@gradstep/apps-shared/gpu";
import { getBackend, memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { sampled } from "../../../testing/cases.js";
import { useBackend } from "../src/backend.js";
import { compare } from "../src/comparison/compare.js";
import { type Options, parseOptions } from "../src/options.mjs";

/** Every twentieth digit: enough to learn something quickly. */
function fewOf({ count, pixels, labels }: DigitSet): DigitSet {
  const indices = Array.from({ length: count / 20 }, (_, index) => index * 20);
  const picked = new Float32Array(indices.length * pixelsPerDigit);
  indices.forEach((from, to) => {
    picked.set(
      pixels.subarray(from * pixelsPerDigit, (from + 1) * pixelsPerDigit),
      to * pixelsPerDigit,
    );
  });
  return {
    count: indices.length,
    pixels: picked,
    labels: Uint8Array.from(indices, (from) => labels[from]),
  };
}

function optionsOf(...args: string[]): Options {
  return parseOptions(args);
}

/** The optimizer of these options, for a training on `digits`. */
function optimizerOf(options: Options): TrainingOptimizer {
  return gradstepOptimizer(options, learningRateSchedule(options, digits.training.count));
}

const all = readDigits();
const digits: Digits = { training: fewOf(all.training), heldOut: fewOf(all.heldOut) };
const settings = optionsOf("--epochs=2", "--batch-size=40", "--learning-rate=0.002", "--seed=3");

function trainWith(options: Options, more: Partial<Training> = {}): Promise<Run> {
  return train({ optimizer: optimizerOf(options), digits, settings: options, ...more });
}

function trained(name: OptimizerName = "adam", seed = settings.seed): Promise<Run> {
  const { learningRate } = optimizers[name];
  const options = { ...settings, optimizer: name, learningRate, seed };
  return trainWith(options);
}

/** The reason why there is neither a GPU nor a software driver, or undefined. */
const missing = await findGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped on webgpu: ${missing}`);

beforeAll(() => useBackend("wasm"));

describe("training", () => {
  test("learns, and reports every batch and epoch", async () => {
    const told = { starts: [] as number[], batches: 0, epochs: [] as number[] };
    const run = await trainWith(settings, {
      observer: {
        onStart: (batches) => told.starts.push(batches),
        onBatch: ({ batch, secondsLeft }) => {
          expect(batch).toBe((told.batches++ % 10) + 1);
          expect(secondsLeft).toBeGreaterThanOrEqual(0);
        },
        onEpoch: ({ epoch }) => told.epochs.push(epoch),
      },
    });
    expect(told).toEqual({ starts: [10], batches: 20, epochs: [1, 2] });
    expect(run.batchLosses).toHaveLength(20);
    expect(run.history[1].loss).toBeLessThan(run.history[0].loss);
    expect(run.evaluation.accuracy).toBeGreaterThan(0.5);
    expect(run.evaluation.accuracy).toBeCloseTo(run.history[1].validationAccuracy, 6);
    expect(run.evaluation.loss).toBeCloseTo(run.history[1].validationLoss, 5);
    expect(run.interrupted).toBe(false);
    expect(run.optimizerTimes).toHaveLength(20);
    expect(run.optimizerTimes.every((time) => time > 0)).toBe(true);
    expect(optimizerFraction(run)).toBeLessThan(1);
  });

  slowTest("depends on the seed alone", async () => {
    const [one, again, other] = [await trained(), await trained(), await trained("adam", 4)];
    expect(again.batchLosses).toEqual(one.batchLosses);
    expect(again.evaluation).toEqual(one.evaluation);
    expect(other.batchLosses).not.toEqual(one.batchLosses);
  });

  test.each(sampled(optimizerNames, 2))("works with %s", async (name) => {
    const { history } = await trained(name);
    expect(history[1].validationLoss).toBeLessThan(2.2);
    expect(history[1].validationAccuracy).toBeGreaterThan(0.3);
  });

  test("leaves no tensors", async () => {
    await trained();
    const before = memory().numTensors;
    await trained();
    expect(memory().numTensors).toBe(before);
  });

  test("stops after the batch in which the signal aborts, and evaluates the network as it is", async () => {
    const stop = new AbortController();
    const run = await trainWith(settings, {
      signal: stop.signal,
      observer: {
        onBatch: ({ epoch, batch }) => {
          if (epoch === 2 && batch === 3) stop.abort();
        },
      },
    });
    expect(run.batchLosses).toHaveLength(13);
    expect(run.history).toHaveLength(1);
    expect(run.interrupted).toBe(true);
    expect(run.evaluation.predictions).toHaveLength(100);
  });

  test("has no batch if the signal aborted before", async () => {
    const run = await trainWith(settings, { signal: AbortSignal.abort() });
    expect([run.batchLosses, run.history, run.interrupted]).toEqual([[], [], true]);
  });
});

describe("a comparison", () => {
  const once = { ...settings, epochs: 1 };

  slowTest(
    "lets gradstep's Adam and TF.js's take turns on every backend, batch by batch",
    async () => {
      const batches: string[] = [];
      const { backends } = await compare({ digits, options: once, chosen: "wasm" }, (backend) => ({
        gradstep: { onBatch: ({ batch }) => batches.push(`gradstep on ${backend}: ${batch}`) },
        "TF.js": { onBatch: ({ batch }) => batches.push(`TF.js on ${backend}: ${batch}`) },
      }));
      expect(batches).toEqual(
        ["wasm", "cpu-js"].flatMap((backend) =>
          Array.from({ length: 10 }, (_, batch) => [
            `gradstep on ${backend}: ${batch + 1}`,
            `TF.js on ${backend}: ${batch + 1}`,
          ]).flat(),
        ),
      );
      expect(backends.map(({ backend }) => backend)).toEqual(["wasm", "cpu-js"]);
      for (const { speedup, lossDifference, runs } of backends) {
        expect(speedup).toBeGreaterThan(0);
        expect(lossDifference).toBeLessThan(1e-4);
        expect(runs["TF.js"].batchLosses).toHaveLength(10);
      }
      const [onWasm, onCpu] = backends.map(({ runs }) => runs.gradstep.batchLosses);
      onWasm.forEach((loss, batch) => expect(Math.abs(loss - onCpu[batch])).toBeLessThan(1e-4));
      await useBackend("wasm");
    },
  );

  slowTest("has the losses of a training without it", async () => {
    const { learningRate } = optimizers.adam;
    const both = { ...once, learningRate };
    const observers = { gradstep: {}, "TF.js": {} };
    const stop = new AbortController();
    const { backends } = await compare(
      { digits, options: both, chosen: "wasm", signal: stop.signal },
      () => {
        return { ...observers, "TF.js": { onEpoch: () => stop.abort() } };
      },
    );
    const alone = await trainWith(both);
    expect(backends).toHaveLength(1);
    expect(backends[0].runs.gradstep.batchLosses).toEqual(alone.batchLosses);
    expect(backends[0].runs.gradstep.evaluation).toEqual(alone.evaluation);
    await useBackend("wasm");
  });

  test.each([
    ["gradstep", 3],
    ["TF.js", 4],
  ] as const)(
    "stops after the same number of batches if the signal aborts in a turn of %s, and starts no other backend",
    async (library, batches) => {
      const stop = new AbortController();
      const { backends } = await compare(
        { digits, options: once, chosen: "wasm", signal: stop.signal },
        () => ({
          gradstep: {},
          "TF.js": {},
          [library]: { onBatch: ({ batch }: { batch: number }) => batch === 3 && stop.abort() },
        }),
      );
      expect(backends).toHaveLength(1);
      const { gradstep, "TF.js": tfjs } = backends[0].runs;
      expect([gradstep.batchLosses.length, tfjs.batchLosses.length]).toEqual([batches, batches]);
      expect([gradstep.interrupted, tfjs.interrupted]).toEqual([true, true]);
    },
  );

  slowTest("does not count the time of the other's turns", async () => {
    const turns = new TurnQueue();
    const delay = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    const other = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) {
        await turns.take();
        await delay(200);
        turns.pass();
      }
    };
    const start = performance.now();
    const [run] = await Promise.all([trainWith(once, { turns }), other()]);
    // The other's 2 seconds are in the whole time, and not in that of the training.
    expect((performance.now() - start) / 1000 - run.seconds).toBeGreaterThan(1.9);
  });
});

test("turns pass in the order of the requests", async () => {
  const turns = new TurnQueue();
  const log: string[] = [];
  const player = async (name: string): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await turns.take();
      log.push(name);
      await Promise.resolve();
      turns.pass();
    }
  };
  await Promise.all(["a", "b", "c"].map(player));
  expect(log.join("")).toBe("abcabcabc");
});

describe("backends", () => {
  afterAll(() => useBackend("wasm"));

  test("auto is an available one, and not a software GPU", async () => {
    const { name, gpu } = await useBackend("auto");
    expect(name).toBe(gpu === undefined ? "wasm" : "webgpu");
    expect(gpu?.isSoftware ?? false).toBe(false);
    expect(getBackend()).toBe(name);
  });

  test.skipIf(missing !== undefined)("webgpu learns as wasm does", async () => {
    const once = { ...settings, epochs: 1, batchSize: 10 };
    const fewer = { training: fewOf(digits.training), heldOut: fewOf(digits.heldOut) };
    const few = async (): Promise<Run> => trainWith(once, { digits: fewer });
    await useBackend("wasm");
    const there = await few();
    const { name, gpu } = await useBackend("webgpu");
    expect(name).toBe("webgpu");
    expect(gpu!.description).not.toBe("");
    const { batchLosses } = await few();
    expect(batchLosses).toHaveLength(2);
    batchLosses.forEach((loss, i) =>
      expect(Math.abs(loss - there.batchLosses[i])).toBeLessThan(1e-4),
    );
  });
});

test("the network has the promised number of parameters, the same ones for the same seed", () => {
  const weights = [7, 7, 8].map((seed) => {
    const network = digitNetwork(seed);
    expect(network.countParams()).toBe(parameterCount);
    const values = network.getWeights().map((tensor) => [...tensor.dataSync()]);
    network.dispose();
    return values;
  });
  expect(weights[1]).toEqual(weights[0]);
  expect(weights[2]).not.toEqual(weights[0]);
});

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
  expect(await evaluated(1e-6)).toBeCloseTo(untrained, 4);
  expect(untrained - (await evaluated(undefined))).toBeGreaterThan(0.1);
  // A norm that no gradient has changes nothing.
  expect(await evaluated(1e6)).toBe(await evaluated(undefined));
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

test("an evaluation counts predicted and actual digits; mistakes come with the highest confidence first", () => {
  const probabilities = new Float32Array(30);
  probabilities.set([0, 1], 0);
  probabilities.set([0.4, 0, 0.6], 10);
  probabilities.set([0, 0.1, 0, 0.9], 20);
  const evaluation = evaluatePredictions(probabilities, Uint8Array.of(1, 0, 1));
  expect(evaluation.accuracy).toBeCloseTo(1 / 3, 12);
  expect(evaluation.loss).toBeCloseTo((-Math.log(0.4) - Math.log(0.1)) / 3, 6);
  expect([
    evaluation.confusion[1][1],
    evaluation.confusion[0][2],
    evaluation.confusion[1][3],
  ]).toEqual([1, 1, 1]);
  expect(mistakes(evaluation).map(({ index }) => index)).toEqual([2, 1]);
});
