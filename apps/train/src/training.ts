import { type Tensor2D, tensor2d } from "@tensorflow/tfjs-core";
import { shiftDigits } from "./augmentation.js";
import { classes, type Digits, type DigitSet, oneHot, pixelsPerDigit } from "./digits.js";
import { type Evaluation, evaluate } from "./evaluation.js";
import { digitNetwork } from "./model.js";
import type { TrainingOptimizer } from "./optimizers.js";
import { seededRandom, shuffle } from "./random.js";
import { timeOptimizer } from "./stopwatch.js";

export interface Plan {
  readonly epochs: number;
  /** Digits in a step. */
  readonly batchSize: number;
  /** The learning rate of the first step; see `rateAt`. */
  readonly learningRate: number;
  /** Decides the first weights, the order of the digits and how they are moved. */
  readonly seed: number;
}

export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy of its steps, in nats. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly steps: number;
  /** Training and validation together. */
  readonly seconds: number;
}

/** Where the training is, after a step. The means are over the epoch so far. */
export interface Progress {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly stepsPerSecond: number;
  /** Until the last epoch ends. */
  readonly secondsLeft: number;
}

/** Is told how the training goes; must not throw. */
export interface Observer {
  onStart?(stepsPerEpoch: number): void;
  onStep?(progress: Progress): void;
  onEpoch?(epoch: Epoch): void;
}

export interface Run {
  /** Completed epochs. */
  readonly history: readonly Epoch[];
  /** The loss of every step. */
  readonly stepLosses: readonly number[];
  readonly stepsPerEpoch: number;
  /** The network as it was at the end, on the held-out digits. */
  readonly evaluation: Evaluation;
  readonly seconds: number;
  /** The part of `seconds` that passed inside the optimizer. */
  readonly optimizerSeconds: number;
  readonly interrupted: boolean;
}

/** The rate falls along half a cosine to this share of the first. */
const lastRate = 0.02;

/** The learning rate at a step: half a cosine from the plan's down to a fiftieth of it (Loshchilov and Hutter 2017). */
export function rateAt(step: number, steps: number, learningRate: number): number {
  return learningRate * (lastRate + ((1 - lastRate) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
}

/**
 * Trains a new network through TF.js Layers on the current backend, with `optimizer`, and disposes
 * of both. When `signal` aborts, it stops after the current batch and judges what it has.
 */
export async function train(
  optimizer: TrainingOptimizer,
  digits: Digits,
  plan: Plan,
  signal: AbortSignal,
  observer: Observer = {},
): Promise<Run> {
  const network = digitNetwork(plan.seed);
  network.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const stopwatch = timeOptimizer(optimizer);
  const heldOut = tensors(digits.heldOut);
  const { count } = digits.training;
  const shifted: DigitSet = { count, pixels: new Float32Array(count * pixelsPerDigit), labels: new Uint8Array(count) };
  const order = Uint16Array.from({ length: count }, (_, index) => index);
  const random = seededRandom(plan.seed);
  const stepsPerEpoch = Math.ceil(count / plan.batchSize);
  const history: Epoch[] = [];
  const stepLosses: number[] = [];
  observer.onStart?.(stepsPerEpoch);
  const start = performance.now();

  for (let epoch = 1; epoch <= plan.epochs && !signal.aborted; epoch++) {
    const epochStart = performance.now();
    shuffle(order, random);
    shiftDigits(digits.training, order, random, shifted);
    const inputs = tensors(shifted);
    const mean = { loss: 0, accuracy: 0, digits: 0 };
    const { history: logs } = await network.fit(inputs.pixels, inputs.labels, {
      epochs: 1,
      batchSize: plan.batchSize,
      // Shuffled above: TF.js's own shuffle takes no seed.
      shuffle: false,
      verbose: 0,
      validationData: [heldOut.pixels, heldOut.labels],
      // Lets Ctrl-C in after every batch.
      yieldEvery: "batch",
      callbacks: {
        onBatchBegin: async () => {
          optimizer.learningRate = rateAt(stepLosses.length, plan.epochs * stepsPerEpoch, plan.learningRate);
        },
        onBatchEnd: async (batch, batchLogs) => {
          const size = Number(batchLogs?.["size"]);
          const loss = Number(batchLogs?.["loss"]);
          stepLosses.push(loss);
          mean.digits += size;
          mean.loss += (loss - mean.loss) * (size / mean.digits);
          mean.accuracy += (Number(batchLogs?.["acc"]) - mean.accuracy) * (size / mean.digits);
          const steps = stepLosses.length;
          const seconds = (performance.now() - start) / 1000;
          observer.onStep?.({
            epoch,
            step: batch + 1,
            loss: mean.loss,
            accuracy: mean.accuracy,
            stepsPerSecond: ((batch + 1) * 1000) / (performance.now() - epochStart),
            secondsLeft: (seconds / steps) * (plan.epochs * stepsPerEpoch - steps),
          });
          if (signal.aborted) network.stopTraining = true;
        },
      },
    });
    dispose(inputs);
    if (stepLosses.length < epoch * stepsPerEpoch) break;
    const last = (key: string): number => Number(logs[key]?.at(-1));
    history.push({
      epoch,
      loss: last("loss"),
      accuracy: last("acc"),
      validationLoss: last("val_loss"),
      validationAccuracy: last("val_acc"),
      steps: stepsPerEpoch,
      seconds: (performance.now() - epochStart) / 1000,
    });
    observer.onEpoch?.(history.at(-1)!);
  }

  const seconds = (performance.now() - start) / 1000;
  const evaluation = await evaluate(network, digits.heldOut, heldOut.pixels);
  dispose(heldOut);
  network.dispose();
  optimizer.dispose();
  const interrupted = history.length < plan.epochs;
  return { history, stepLosses, stepsPerEpoch, evaluation, seconds, optimizerSeconds: stopwatch.seconds, interrupted };
}

interface DigitTensors {
  readonly pixels: Tensor2D;
  readonly labels: Tensor2D;
}

function tensors(digits: DigitSet): DigitTensors {
  return {
    pixels: tensor2d(digits.pixels, [digits.count, pixelsPerDigit]),
    labels: tensor2d(oneHot(digits.labels), [digits.count, classes]),
  };
}

function dispose({ pixels, labels }: DigitTensors): void {
  pixels.dispose();
  labels.dispose();
}
