import { optimizerFraction, type Run } from "@gradstep/digits";
import { optimizerNames } from "@gradstep/digits/optimizers";
import {
  evaluatePredictions,
  mistakes,
  digitNetwork,
  parameterCount,
} from "@gradstep/digits/training";
import { findGpu } from "@gradstep/apps-shared/gpu";
import { getBackend, memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { sampled } from "../../../testing/cases.js";
import { useBackend } from "../src/backend.js";
import { digits, fewOf, settings, trainWith, trained } from "./few-digits.js";

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
