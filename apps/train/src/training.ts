import { seededRandom } from "@gradstep/apps-shared/random";
import { tensor2d, type Tensor2D } from "@tensorflow/tfjs-core";
import { shiftDigits } from "./augmentation.js";
import { classes, oneHot, pixelsPerDigit, type Digits, type DigitSet } from "./digits.js";
import { evaluate } from "./evaluation.js";
import { Meter } from "./meter.js";
import { digitNetwork } from "./model.js";
import type { TrainingOptimizer } from "./optimizers.js";
import { shuffle } from "./shuffle.js";
import type { Epoch, Observer, Plan, Run } from "./run.js";
import { rateAt } from "./schedule.js";
import { timeOptimizer } from "./stopwatch.js";

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
  const nextEpoch = epochsOf(digits.training, plan.seed);
  const stepsPerEpoch = Math.ceil(digits.training.count / plan.batchSize);
  const steps = plan.epochs * stepsPerEpoch;
  const meter = new Meter(steps);
  const history: Epoch[] = [];
  observer.onStart?.(stepsPerEpoch);

  for (let epoch = 1; epoch <= plan.epochs && !signal.aborted; epoch++) {
    meter.startEpoch(epoch);
    const shifted = tensors(nextEpoch());
    const { history: logs } = await network.fit(shifted.pixels, shifted.labels, {
      epochs: 1,
      batchSize: plan.batchSize,
      // They come shuffled: TF.js's own shuffle takes no seed.
      shuffle: false,
      verbose: 0,
      validationData: [heldOut.pixels, heldOut.labels],
      // Lets Ctrl-C in after every batch.
      yieldEvery: "batch",
      callbacks: {
        onBatchBegin: async () => {
          optimizer.learningRate = rateAt(meter.losses.length, steps, plan.learningRate);
        },
        onBatchEnd: async (_batch, batchLogs) => {
          const value = (key: string): number => Number(batchLogs?.[key]);
          const progress = meter.add(value("size"), value("loss"), value("acc"));
          observer.onStep?.(progress);
          if (signal.aborted) network.stopTraining = true;
        },
      },
    });
    dispose(shifted);
    // TF.js validates before it ends the last batch, so a complete epoch has all its figures.
    if (meter.losses.length < epoch * stepsPerEpoch) break;
    const last = (key: string): number => Number(logs[key]?.at(-1));
    const done: Epoch = {
      epoch,
      loss: last("loss"),
      accuracy: last("acc"),
      validationLoss: last("val_loss"),
      validationAccuracy: last("val_acc"),
      steps: stepsPerEpoch,
      seconds: meter.epochSeconds,
    };
    history.push(done);
    observer.onEpoch?.(done);
  }

  const { losses: stepLosses, seconds } = meter;
  const evaluation = await evaluate(network, digits.heldOut, heldOut.pixels);
  dispose(heldOut);
  network.dispose();
  optimizer.dispose();
  return {
    history,
    stepLosses,
    stepsPerEpoch,
    evaluation,
    seconds,
    optimizerSeconds: stopwatch.seconds,
    interrupted: history.length < plan.epochs,
  };
}

/** Gives the digits for one epoch after another: all of them, shuffled and shifted, in memory that the next call uses again. */
function epochsOf(digits: DigitSet, seed: number): () => DigitSet {
  const { count } = digits;
  const random = seededRandom(seed);
  const order = Uint16Array.from({ length: count }, (_, index) => index);
  const shifted = {
    count,
    pixels: new Float32Array(count * pixelsPerDigit),
    labels: new Uint8Array(count),
  };
  return () => {
    shuffle(order, random);
    shiftDigits(digits, order, random, shifted);
    return shifted;
  };
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
