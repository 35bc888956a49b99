import { Writable } from "node:stream";
import type { Configuration } from "../src/document.js";
import { pixelsPerDigit, type DigitSet } from "../src/digits.js";
import { judge } from "../src/evaluation.js";
import type { Run } from "../src/run.js";
import { screenOf, type Screen } from "../src/terminal/screen.js";

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

/** A digit of each class; ink 1 in a ring, so that it can be seen. */
export function sampleDigits(): DigitSet {
  const pixels = new Float32Array(10 * pixelsPerDigit);
  for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = (pixel % 28) / 27;
  return { count: 10, pixels, labels: Uint8Array.from({ length: 10 }, (_, digit) => digit) };
}

/** A run of two epochs of four steps that takes every 9 for a 4. */
export function sampleRun(): Run {
  const probabilities = new Float32Array(100).fill(0.01);
  for (let digit = 0; digit < 10; digit++)
    probabilities[digit * 10 + (digit === 9 ? 4 : digit)] = 0.91;
  const epoch = { accuracy: 0.7, validationAccuracy: 0.8, steps: 4, seconds: 2 };
  return {
    history: [
      { ...epoch, epoch: 1, loss: 1.2, validationLoss: 0.9 },
      { ...epoch, epoch: 2, loss: 0.7, validationLoss: 0.6 },
    ],
    stepLosses: [2.3, 1.4, 1, 0.8, 0.75, 0.7, 0.68, 0.65],
    stepsPerEpoch: 4,
    evaluation: judge(probabilities, sampleDigits().labels),
    seconds: 4,
    optimizerSeconds: 0.2,
    interrupted: false,
  };
}

export const sampleConfiguration: Configuration = {
  optimizer: "adam",
  learningRate: 0.002,
  epochs: 2,
  batchSize: 64,
  backend: "wasm",
  seed: 1,
  layers: [784, 128, 64, 10],
  parameters: 109_386,
  trainingDigits: 8000,
  heldOutDigits: 10,
};
