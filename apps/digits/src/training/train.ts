import { type Scalar, tensor2d, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";
import { classes, oneHot, pixelsPerDigit, type Digits, type DigitSet } from "../data/digit-set.js";
import { TrainingDigits } from "../data/training-digits.js";
import { evaluate } from "./evaluation.js";
import { digitNetwork } from "./network.js";
import { nextTask } from "./next-task.js";
import { timeOptimizer } from "./optimizer-times.js";
import type { TrainingOptimizer } from "./optimizer.js";
import { ProgressMeter } from "./progress-meter.js";
import type { Observer, Run, TrainingSettings } from "./run.js";
import type { SaveTraining } from "./saves.js";
import { TurnQueue, type Turns } from "./turns.js";

/** What to train, and how. */
export interface Training {
  readonly optimizer: TrainingOptimizer;
  readonly digits: Digits;
  readonly settings: TrainingSettings;
  /** When it aborts, the training stops after the current batch, and the network is evaluated as it is. */
  readonly signal?: AbortSignal | undefined;
  readonly observer?: Observer;
  /** For trainings that take turns: one batch each. Time spent waiting for a turn is not counted. */
  readonly turns?: Turns;
  /** Saves the training. Without it, the training is not saved. */
  readonly save?: SaveTraining | undefined;
}

/** Trains a new network with TF.js Layers on the current backend, and disposes of the network and of the optimizer. */
export async function train(training: Training): Promise<Run> {
  const { turns = new TurnQueue() } = training;
  await turns.take();
  try {
    return await trainInTurns(training, turns);
  } finally {
    turns.pass();
  }
}

async function trainInTurns(
  { optimizer, digits, settings, signal, observer = {}, save }: Training,
  turns: Turns,
): Promise<Run> {
  const network = digitNetwork(settings.seed);
  network.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const heldOut = tensors(digits.heldOut);
  const trainingDigits = new TrainingDigits(digits.training, settings.seed);
  const batchesPerEpoch = Math.ceil(digits.training.count / settings.batchSize);
  const meter = new ProgressMeter(settings.epochs * batchesPerEpoch, timeOptimizer(optimizer));
  const { stopwatch, history } = meter;
  const evaluated = <T>(run: () => Promise<T>): Promise<T> =>
    optimizer.keepsAverages === true && optimizer.iterations > 0
      ? withAverages(optimizer, run)
      : run();
  const isAborted = (): boolean => signal?.aborted === true;
  const validate = (): Promise<readonly number[]> =>
    validation(network, heldOut, settings.batchSize);
  const saves = save?.({ network, digits: trainingDigits, progress: meter });
  observer.onStart?.(batchesPerEpoch);
  await saves?.start(observer);
  stopwatch.start();

  while (history.length < settings.epochs && !isAborted()) {
    if (!meter.isInEpoch) meter.startEpoch();
    const shifted = tensors(
      remaining(trainingDigits.next(), meter.epochBatches * settings.batchSize),
    );
    await network.fit(shifted.pixels, shifted.labels, {
      epochs: 1,
      batchSize: settings.batchSize,
      // They are shuffled already: TF.js's own shuffle takes no seed.
      shuffle: false,
      verbose: 0,
      yieldEvery: "never",
      callbacks: {
        onBatchBegin: async () => {
          stopwatch.stop();
          turns.pass();
          await turns.take();
          stopwatch.start();
          meter.learningRates.push(optimizer.learningRate);
        },
        onBatchEnd: async (_batch, batchLogs) => {
          const value = (key: string): number => Number(batchLogs?.[key]);
          const progress = meter.add(value("size"), value("loss"), value("acc"));
          observer.onBatch?.(progress);
          saves?.afterBatch();
          // Ctrl-C is noticed, and a page's commands are handled.
          await nextTask();
          if (isAborted()) network.stopTraining = true;
        },
      },
    });
    dispose(shifted);
    if (meter.epochBatches < batchesPerEpoch) break;
    const [loss, accuracy] = await evaluated(validate);
    const completed = meter.endEpoch(loss, accuracy);
    observer.onEpoch?.(completed);
  }

  stopwatch.stop();
  await saves?.end();
  const evaluation = await evaluated(() => evaluate(network, digits.heldOut, heldOut.pixels));
  const { iterations: steps, skippedSteps = 0 } = optimizer;
  dispose(heldOut);
  network.dispose();
  optimizer.dispose();
  return {
    history,
    batchLosses: meter.losses,
    learningRates: meter.learningRates,
    steps,
    skippedSteps,
    optimizerTimes: meter.optimizerTimes,
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

/** The digits from this one on, in the same memory. */
function remaining({ count, pixels, labels }: DigitSet, start: number): DigitSet {
  return {
    count: count - start,
    pixels: pixels.subarray(start * pixelsPerDigit),
    labels: labels.subarray(start),
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
