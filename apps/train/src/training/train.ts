import { seededRandom } from "@gradstep/apps-shared/random";
import { type Scalar, tensor2d, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";
import { shiftDigits } from "../data/augmentation.js";
import { classes, oneHot, pixelsPerDigit, type Digits, type DigitSet } from "../data/digits.js";
import { shuffle } from "../data/shuffle.js";
import { evaluate } from "./evaluation.js";
import { digitNetwork } from "./network.js";
import { timeOptimizer } from "./optimizer-times.js";
import type { TrainingOptimizer } from "./optimizers.js";
import { ProgressMeter } from "./progress-meter.js";
import type { Epoch, Observer, Run, TrainingSettings } from "./run.js";
import { Stopwatch } from "./stopwatch.js";
import { Turns } from "./turns.js";

/**
 * Trains a new network with TF.js Layers on the current backend, and disposes of the network and of `optimizer`. If
 * `signal` aborts, the training stops after the current batch and the network is evaluated as it is.
 *
 * @param turns for trainings that take turns: one batch each. Time spent waiting for a turn is not counted.
 */
export async function train(
  optimizer: TrainingOptimizer,
  digits: Digits,
  settings: TrainingSettings,
  signal: AbortSignal,
  observer: Observer = {},
  turns: Turns = new Turns(),
): Promise<Run> {
  await turns.take();
  try {
    return await trainInTurns(optimizer, digits, settings, signal, observer, turns);
  } finally {
    turns.pass();
  }
}

async function trainInTurns(
  optimizer: TrainingOptimizer,
  digits: Digits,
  settings: TrainingSettings,
  signal: AbortSignal,
  observer: Observer,
  turns: Turns,
): Promise<Run> {
  const network = digitNetwork(settings.seed);
  network.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const optimizerTimes = timeOptimizer(optimizer);
  const heldOut = tensors(digits.heldOut);
  const nextEpoch = epochsOf(digits.training, settings.seed);
  const batchesPerEpoch = Math.ceil(digits.training.count / settings.batchSize);
  const batches = settings.epochs * batchesPerEpoch;
  const evaluated = <T>(run: () => Promise<T>): Promise<T> =>
    optimizer.keepsAverages === true && optimizer.iterations > 0
      ? withAverages(optimizer, run)
      : run();
  const validate = (): Promise<readonly number[]> =>
    validation(network, heldOut, settings.batchSize);
  const stopwatch = new Stopwatch();
  const meter = new ProgressMeter(batches, stopwatch, optimizerTimes);
  const history: Epoch[] = [];
  const learningRates: number[] = [];
  observer.onStart?.(batchesPerEpoch);
  stopwatch.start();

  for (let epoch = 1; epoch <= settings.epochs && !signal.aborted; epoch++) {
    meter.startEpoch(epoch);
    const shifted = tensors(nextEpoch());
    await network.fit(shifted.pixels, shifted.labels, {
      epochs: 1,
      batchSize: settings.batchSize,
      // They are shuffled already: TF.js's own shuffle takes no seed.
      shuffle: false,
      verbose: 0,
      // Lets the event loop run after every batch, so that Ctrl-C is noticed.
      yieldEvery: "batch",
      callbacks: {
        onBatchBegin: async () => {
          stopwatch.stop();
          turns.pass();
          await turns.take();
          stopwatch.start();
          learningRates.push(optimizer.learningRate);
        },
        onBatchEnd: async (_batch, batchLogs) => {
          const value = (key: string): number => Number(batchLogs?.[key]);
          const progress = meter.add(value("size"), value("loss"), value("acc"));
          observer.onBatch?.(progress);
          if (signal.aborted) network.stopTraining = true;
        },
      },
    });
    dispose(shifted);
    if (meter.losses.length < epoch * batchesPerEpoch) break;
    const [validationLoss, validationAccuracy] = await evaluated(validate);
    const completed: Epoch = {
      epoch,
      loss: meter.epochLoss,
      accuracy: meter.epochAccuracy,
      validationLoss,
      validationAccuracy,
      batches: batchesPerEpoch,
      learningRate: learningRates.at(-1)!,
      seconds: meter.epochSeconds,
      optimizerSecondsPerBatch: meter.optimizerSecondsPerBatch,
    };
    history.push(completed);
    observer.onEpoch?.(completed);
  }

  stopwatch.stop();
  const evaluation = await evaluated(() => evaluate(network, digits.heldOut, heldOut.pixels));
  const { iterations: steps, skippedSteps = 0 } = optimizer;
  dispose(heldOut);
  network.dispose();
  optimizer.dispose();
  return {
    history,
    batchLosses: meter.losses,
    learningRates,
    steps,
    skippedSteps,
    optimizerTimes,
    batchesPerEpoch,
    evaluation,
    seconds: stopwatch.seconds,
    interrupted: history.length < settings.epochs,
  };
}

/** Evaluates while the network has the averaged weights that its optimizer keeps. */
async function withAverages<T>(
  optimizer: TrainingOptimizer,
  evaluation: () => Promise<T>,
): Promise<T> {
  optimizer.swap!();
  try {
    return await evaluation();
  } finally {
    optimizer.swap!();
  }
}

/** The loss and the accuracy. */
async function validation(
  network: Sequential,
  { pixels, labels }: DigitTensors,
  batchSize: number,
): Promise<readonly number[]> {
  const scalars = network.evaluate(pixels, labels, { batchSize }) as Scalar[];
  const values = await Promise.all(scalars.map((scalar) => scalar.data()));
  for (const scalar of scalars) scalar.dispose();
  const [[loss], [accuracy]] = values;
  return [loss, accuracy];
}

/**
 * Returns a function that gives the digits of the next epoch: all of them, shuffled and shifted, in memory that the next
 * call overwrites.
 */
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
