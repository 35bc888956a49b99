import { type DigitSet, pixelsPerDigit, type Run } from "@gradstep/digits";
import { evaluatePredictions } from "@gradstep/digits/training";
import { Writable } from "node:stream";
import type { BackendComparison, Comparison } from "../src/comparison/compare.js";
import type { Configuration } from "../src/document.js";
import { type Screen, screenOf } from "../src/terminal/screen.js";

/** A terminal that keeps what is written to it. */
export function fakeScreen(
  options: { isTTY?: boolean; columns?: number; colors?: number } = {},
): Screen & { text(): string } {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
  const { isTTY = false, columns = 80, colors = 1 } = options;
  const hasColors = (count: number): boolean => count <= colors;
  const screen = screenOf(
    Object.assign(stream, { isTTY, columns, hasColors }) as unknown as NodeJS.WriteStream,
  );
  return { ...screen, text: () => written.join("") };
}

/** The length of the longest line. */
export function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

/** A digit of each class: a horizontal gradient. */
export function sampleDigits(): DigitSet {
  const pixels = new Float32Array(10 * pixelsPerDigit);
  for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = (pixel % 28) / 27;
  return { count: 10, pixels, labels: Uint8Array.from({ length: 10 }, (_, digit) => digit) };
}

/** A run of two epochs of four batches that predicts 4 for every 9. */
export function sampleRun(): Run {
  const probabilities = new Float32Array(100).fill(0.01);
  for (let digit = 0; digit < 10; digit++)
    probabilities[digit * 10 + (digit === 9 ? 4 : digit)] = 0.91;
  const epoch = {
    accuracy: 0.7,
    validationAccuracy: 0.8,
    batches: 4,
    seconds: 2,
    optimizerSecondsPerBatch: 0.02,
  };
  return {
    history: [
      { ...epoch, epoch: 1, learningRate: 0.001, loss: 1.2, validationLoss: 0.9 },
      { ...epoch, epoch: 2, learningRate: 4e-5, loss: 0.7, validationLoss: 0.6 },
    ],
    batchLosses: [2.3, 1.4, 1, 0.8, 0.75, 0.7, 0.68, 0.65],
    learningRates: [0.002, 0.0019, 0.0015, 0.001, 6e-4, 3e-4, 1e-4, 4e-5],
    steps: 8,
    skippedSteps: 0,
    optimizerTimes: [0.06, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02],
    batchesPerEpoch: 4,
    evaluation: evaluatePredictions(probabilities, sampleDigits().labels),
    seconds: 4,
    interrupted: false,
  };
}

/** A training of 100 batches whose loss became NaN at batch 30. */
export function divergedRun(): Run {
  const batchLosses = Array.from({ length: 100 }, (_, batch) =>
    batch < 29 ? 2.3 + batch : Number.NaN,
  );
  return {
    ...sampleRun(),
    batchLosses,
    optimizerTimes: batchLosses.map(() => 0.02),
    learningRates: batchLosses.map(() => 0.002),
    steps: 100,
    batchesPerEpoch: 50,
    evaluation: evaluatePredictions(new Float32Array(100).fill(Number.NaN), sampleDigits().labels),
  };
}

/** gradstep with 20 ms per step and TF.js with ten times as much on wasm, and half of it on cpu-js. */
export function sampleComparison(): Comparison {
  const run = sampleRun();
  const timed = (factor: number): Run => ({
    ...run,
    optimizerTimes: run.optimizerTimes.map((time) => time * factor),
  });
  const compared = (
    backend: BackendComparison["backend"],
    speedup: number,
    lossDifference: number,
  ): BackendComparison => ({
    backend,
    runs: { gradstep: run, "TF.js": timed(speedup) },
    speedup,
    lossDifference,
  });
  return { backends: [compared("wasm", 10, 1.5e-6), compared("cpu-js", 0.5, 0)] };
}

export const sampleConfiguration: Configuration = {
  optimizer: "adam",
  learningRate: 0.002,
  schedule: "linear(learningRate, 0, steps)",
  clip: null,
  accumulate: 1,
  nonFinite: "propagate",
  lossScale: null,
  ema: null,
  epochs: 2,
  batchSize: 64,
  backend: "wasm",
  seed: 1,
  layers: [784, 128, 64, 10],
  parameters: 109_386,
  trainingDigits: 8000,
  heldOutDigits: 10,
};
