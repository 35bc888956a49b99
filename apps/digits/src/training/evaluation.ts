import { type Tensor2D, tidy } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";
import { classes, type DigitSet } from "../data/digit-set.js";

/** The network's answer for one digit. */
export interface Prediction {
  /** Index in the set of digits. */
  readonly index: number;
  readonly predicted: number;
  /** The label. */
  readonly actual: number;
  /** The probability that the network gives to `predicted`. */
  readonly confidence: number;
}

export interface Evaluation {
  /** Fraction of the digits whose label was predicted, 0 to 1. */
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** One for each digit, in order. */
  readonly predictions: readonly Prediction[];
  /** Number of digits, as `confusion[actual][predicted]`. */
  readonly confusion: readonly (readonly number[])[];
}

/** TF.js clips probabilities to this distance from 0 before it takes their logarithm. */
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
  return evaluatePredictions(probabilities, digits.labels);
}

/** Compares rows of ten probabilities with the labels. */
export function evaluatePredictions(probabilities: Float32Array, labels: Uint8Array): Evaluation {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let correct = 0;
  let loss = 0;
  const predictions = Array.from(labels, (actual, index): Prediction => {
    const row = probabilities.subarray(index * classes, (index + 1) * classes);
    const predicted = row.reduce((best, value, digit) => (value > row[best] ? digit : best), 0);
    if (predicted === actual) correct++;
    loss -= Math.log(Math.max(row[actual], smallestProbability));
    confusion[actual][predicted]++;
    return { index, predicted, actual, confidence: row[predicted] };
  });
  return { accuracy: correct / labels.length, loss: loss / labels.length, predictions, confusion };
}

/** The wrong predictions, highest confidence first. */
export function mistakes(evaluation: Evaluation): Prediction[] {
  return evaluation.predictions
    .filter(({ predicted, actual }) => predicted !== actual)
    .sort((a, b) => b.confidence - a.confidence);
}
