import { nodeGpu } from "@gradstep/webgpu/node";
import { getBackend, memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare } from "../src/comparison.js";
import { pixelsPerDigit, readDigits, type Digits, type DigitSet } from "../src/digits.js";
import { judge, mistakes } from "../src/evaluation.js";
import { digitNetwork, parameterCount } from "../src/model.js";
import { gradstepOptimizer, optimizerNames, suitableRate } from "../src/optimizers.js";
import type { Run } from "../src/run.js";
import { rateAt } from "../src/schedule.js";
import { useBackend } from "../src/tfjs.js";
import { train } from "../src/training.js";

/** Every twentieth digit: enough to learn something in a moment. */
function fewOf({ count, pixels, labels }: DigitSet): DigitSet {
  const places = Array.from({ length: count / 20 }, (_, place) => place * 20);
  const picked = new Float32Array(places.length * pixelsPerDigit);
  places.forEach((from, to) => {
    picked.set(
      pixels.subarray(from * pixelsPerDigit, (from + 1) * pixelsPerDigit),
      to * pixelsPerDigit,
    );
  });
  return {
    count: places.length,
    pixels: picked,
    labels: Uint8Array.from(places, (from) => labels[from]),
  };
}

const all = readDigits();
const digits: Digits = { training: fewOf(all.training), heldOut: fewOf(all.heldOut) };
const plan = { epochs: 2, batchSize: 40, learningRate: 0.002, seed: 3 };
const goOn = new AbortController().signal;

function trained(name = "adam", seed = plan.seed): Promise<Run> {
  const learningRate = suitableRate(name);
  return train(
    gradstepOptimizer(name, learningRate),
    digits,
    { ...plan, learningRate, seed },
    goOn,
  );
}

/** Why there is no GPU here, nor a driver in software, or undefined. */
const missing = await nodeGpu().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing !== undefined) console.warn(`Skipped on webgpu: ${missing}`);

beforeAll(() => useBackend("wasm"));

describe("training", () => {
  test("learns, and tells about every step and epoch", async () => {
    const told = { starts: [] as number[], steps: 0, epochs: [] as number[] };
    const run = await train(gradstepOptimizer("adam", 0.002), digits, plan, goOn, {
      onStart: (steps) => told.starts.push(steps),
      onStep: ({ step, secondsLeft }) => {
        expect(step).toBe((told.steps++ % 10) + 1);
        expect(secondsLeft).toBeGreaterThanOrEqual(0);
      },
      onEpoch: ({ epoch }) => told.epochs.push(epoch),
    });
    expect(told).toEqual({ starts: [10], steps: 20, epochs: [1, 2] });
    expect(run.stepLosses).toHaveLength(20);
    expect(run.history[1].loss).toBeLessThan(run.history[0].loss);
    expect(run.evaluation.accuracy).toBeGreaterThan(0.5);
    expect(run.evaluation.accuracy).toBeCloseTo(run.history[1].validationAccuracy, 6);
    expect(run.evaluation.loss).toBeCloseTo(run.history[1].validationLoss, 5);
    expect(run.interrupted).toBe(false);
    expect(run.optimizerSeconds).toBeGreaterThan(0);
    expect(run.optimizerSeconds).toBeLessThan(run.seconds);
  });

  test("goes the same way for the same seed and another for another", async () => {
    const [one, again, other] = [await trained(), await trained(), await trained("adam", 4)];
    expect(again.stepLosses).toEqual(one.stepLosses);
    expect(again.evaluation).toEqual(one.evaluation);
    expect(other.stepLosses).not.toEqual(one.stepLosses);
  });

  test.each(optimizerNames)("works with %s", async (name) => {
    const { history } = await trained(name);
    expect(history[1].validationLoss).toBeLessThan(2.2);
    expect(history[1].validationAccuracy).toBeGreaterThan(0.3);
  });

  test("leaves no tensor behind", async () => {
    await trained();
    const before = memory().numTensors;
    await trained();
    expect(memory().numTensors).toBe(before);
  });

  test("stops after the batch in which the signal aborts, and judges what it has", async () => {
    const stop = new AbortController();
    const run = await train(gradstepOptimizer("adam", 0.002), digits, plan, stop.signal, {
      onStep: ({ epoch, step }) => {
        if (epoch === 2 && step === 3) stop.abort();
      },
    });
    expect(run.stepLosses).toHaveLength(13);
    expect(run.history).toHaveLength(1);
    expect(run.interrupted).toBe(true);
    expect(run.evaluation.predictions).toHaveLength(100);
  });

  test("takes no step when it is stopped before it starts", async () => {
    const run = await train(gradstepOptimizer("adam", 0.002), digits, plan, AbortSignal.abort());
    expect([run.stepLosses, run.history, run.interrupted]).toEqual([[], [], true]);
  });
});

test("a comparison sets gradstep's Adam beside TF.js's on every backend", async () => {
  const seen: string[] = [];
  const { contenders, ratios } = await compare(
    digits,
    { ...plan, epochs: 1 },
    "wasm",
    goOn,
    (maker, backend) => {
      seen.push(`${maker} on ${backend}`);
      return {};
    },
  );
  expect(seen).toEqual([
    "gradstep on wasm",
    "TF.js on wasm",
    "gradstep on cpu-js",
    "TF.js on cpu-js",
  ]);
  expect(contenders.map(({ maker, backend }) => `${maker} on ${backend}`)).toEqual(seen);
  expect(ratios.map(({ backend }) => backend)).toEqual(["wasm", "cpu-js"]);
  for (const { speedup, lossDifference } of ratios) {
    expect(speedup).toBeGreaterThan(0);
    expect(lossDifference).toBeLessThan(1e-4);
  }
  const [ours, , onCpu] = contenders.map(({ run }) => run.stepLosses);
  ours.forEach((loss, step) => expect(Math.abs(loss - onCpu[step])).toBeLessThan(1e-4));
  await useBackend("wasm");
});

describe("backends", () => {
  afterAll(() => useBackend("wasm"));

  test("auto is one that is there, and no GPU in software", async () => {
    const { name, gpu } = await useBackend("auto");
    expect(name).toBe(gpu === undefined ? "wasm" : "webgpu");
    expect(gpu?.isSoftware ?? false).toBe(false);
    expect(getBackend()).toBe(name);
  });

  test.skipIf(missing !== undefined)("webgpu learns as wasm does", async () => {
    const once = { ...plan, epochs: 1, batchSize: 200 };
    const few = async (): Promise<Run> =>
      train(gradstepOptimizer("adam", 0.002), digits, once, goOn);
    await useBackend("wasm");
    const there = await few();
    const { name, gpu } = await useBackend("webgpu");
    expect(name).toBe("webgpu");
    expect(gpu!.description).not.toBe("");
    const { stepLosses } = await few();
    expect(stepLosses).toHaveLength(2);
    stepLosses.forEach((loss, i) =>
      expect(Math.abs(loss - there.stepLosses[i])).toBeLessThan(1e-4),
    );
  });
});

test("the network has the parameters that are told, the same ones for the same seed", () => {
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

test("the learning rate falls along half a cosine to a fiftieth", () => {
  expect(rateAt(0, 100, 0.5)).toBe(0.5);
  expect(rateAt(50, 100, 0.5)).toBeCloseTo(0.255, 12);
  expect(rateAt(100, 100, 0.5)).toBeCloseTo(0.01, 12);
});

test("an evaluation counts what was taken for what, the surest mistakes first", () => {
  const probabilities = new Float32Array(30);
  probabilities.set([0, 1], 0);
  probabilities.set([0.4, 0, 0.6], 10);
  probabilities.set([0, 0.1, 0, 0.9], 20);
  const evaluation = judge(probabilities, Uint8Array.of(1, 0, 1));
  expect(evaluation.accuracy).toBeCloseTo(1 / 3, 12);
  expect(evaluation.loss).toBeCloseTo((-Math.log(0.4) - Math.log(0.1)) / 3, 6);
  expect([
    evaluation.confusion[1][1],
    evaluation.confusion[0][2],
    evaluation.confusion[1][3],
  ]).toEqual([1, 1, 1]);
  expect(mistakes(evaluation).map(({ index }) => index)).toEqual([2, 1]);
});
