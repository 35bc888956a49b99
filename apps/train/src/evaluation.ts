import { type Tensor2D, tidy } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";
import { classes, type DigitSet } from "./digits.js";

/** What a network makes of one digit. */
export interface Prediction {
  /** Place in the set of digits. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability that the network gives to `predicted`. */
  readonly confidence: number;
}

export interface Evaluation {
  /** Share of digits whose label was predicted, 0 to 1. */
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** One for each digit, in order. */
  readonly predictions: readonly Prediction[];
  /** `confusion[label][predicted]` digits. */
  readonly confusion: readonly (readonly number[])[];
}

/** TF.js keeps probabilities this far from 0 before it takes their logarithm. */
const smallestProbability = 1e-7;

/** Runs the network over the digits; `inputs` holds their pixels as a tensor. */
export async function evaluate(
  network: Sequential,
  digits: DigitSet,
  inputs: Tensor2D,
): Promise<Evaluation> {
  const outputs = tidy(() => network.predict(inputs, { batchSize: 500 }) as Tensor2D);
  const probabilities = (await outputs.data()) as Float32Array;
  outputs.dispose();
  return judge(probabilities, digits.labels);
}

/** Judges rows of ten probabilities against the labels. */
export function judge(probabilities: Float32Array, labels: Uint8Array): Evaluation {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let right = 0;
  let loss = 0;
  const predictions = Array.from(labels, (label, index): Prediction => {
    const row = probabilities.subarray(index * classes, (index + 1) * classes);
    const predicted = row.reduce((best, value, place) => (value > row[best] ? place : best), 0);
    if (predicted === label) right++;
    loss -= Math.log(Math.max(row[label], smallestProbability));
    confusion[label][predicted]++;
    return { index, label, predicted, confidence: row[predicted] };
  });
  return { accuracy: right / labels.length, loss: loss / labels.length, predictions, confusion };
}

/** The digits that were taken for another, those that the network was surest of first. */
export function mistakes(evaluation: Evaluation): Prediction[] {
  return evaluation.predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((one, other) => other.confidence - one.confidence);
}
