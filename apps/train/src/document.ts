import {
  type Failure,
  failureOf,
  type Epoch,
  optimizerFraction,
  optimizerSeconds,
  type Run,
} from "@gradstep/digits";
import type { NonFiniteChoice } from "@gradstep/digits/optimizers";
import { layerWidths, parameterCount } from "@gradstep/digits/training";
import type { Gpu } from "@gradstep/apps-shared/gpu";
import { median } from "@gradstep/apps-shared/median";
import type { Backend, BackendName } from "./backend.js";
import type { Comparison, Library } from "./comparison/compare.js";
import { defaultSchedule, type Options } from "./options.mjs";

/** What was trained, and how. */
export interface Configuration {
  readonly optimizer: Options["optimizer"];
  readonly learningRate: number;
  /** The learning rate over the steps, as an expression. */
  readonly schedule: string;
  /** The global norm to which gradients are clipped; null if they are not. */
  readonly clip: number | null;
  /** Batches per step. */
  readonly accumulate: number;
  readonly nonFinite: NonFiniteChoice;
  readonly lossScale: number | "dynamic" | null;
  /** The momentum of the average of the weights with which the network is evaluated; null if there is none. */
  readonly ema: number | null;
  readonly epochs: number;
  readonly batchSize: number;
  /** With `--backend auto`, the one that was found. */
  readonly backend: BackendName;
  /** What computes, with WebGPU. */
  readonly gpu?: Gpu;
  readonly seed: number;
  /** Units of each layer, from the pixels to the classes. */
  readonly layers: readonly number[];
  readonly parameters: number;
  readonly trainingDigits: number;
  readonly heldOutDigits: number;
}

export interface Timing {
  readonly batches: number;
  /** Steps of the optimizer. */
  readonly steps: number;
  /** Steps that were left out because of gradients that were not finite. */
  readonly skippedSteps: number;
  /** Training and validation, without loading the digits. */
  readonly seconds: number;
  readonly batchesPerSecond: number;
  readonly optimizerSeconds: number;
  /** `optimizerSeconds` divided by `seconds`. */
  readonly optimizerFraction: number;
  /** Median. */
  readonly optimizerMillisecondsPerBatch: number;
}

/** A training as JSON. Numbers that are not finite, such as the losses of a training that diverged, become null. */
export interface RunDocument {
  /** Fraction of the held-out digits that the final network predicts, 0 to 1. */
  readonly validationAccuracy: number;
  readonly validationLoss: number;
  readonly interrupted: boolean;
  readonly diverged: boolean;
  /** Why the training failed; null if it did not. */
  readonly failure: Failure | null;
  readonly history: readonly Epoch[];
  /** The loss of every batch. */
  readonly batchLosses: readonly number[];
  /** The learning rate of every batch. */
  readonly learningRates: readonly number[];
  readonly timing: Timing;
}

/** What `--json` prints. With `--compare`, the run is that of gradstep on the chosen backend. */
export interface TrainingDocument extends RunDocument {
  readonly configuration: Configuration;
  readonly comparison?: {
    readonly backends: readonly ({
      readonly backend: BackendName;
      /** TF.js's median time per optimizer step divided by gradstep's; null if one of them made no step. */
      readonly speedup: number | null;
      readonly lossDifference: number | null;
    } & Readonly<Record<Library, RunDocument>>)[];
  };
}

export function configurationOf(
  options: Options,
  digits: { training: { count: number }; heldOut: { count: number } },
  { name, gpu }: Backend,
): Configuration {
  const { optimizer, learningRate, schedule, accumulate } = options;
  const { epochs, batchSize, seed, clip = null, lossScale = null, ema = null } = options;
  return {
    optimizer,
    learningRate,
    schedule,
    clip,
    accumulate,
    nonFinite: options.nonFinite ?? (lossScale === null ? "propagate" : "skip"),
    lossScale,
    ema,
    epochs,
    batchSize,
    backend: name,
    ...(gpu && { gpu }),
    seed,
    layers: layerWidths,
    parameters: parameterCount,
    trainingDigits: digits.training.count,
    heldOutDigits: digits.heldOut.count,
  };
}

/** The settings that are not at their defaults, apart from those that every training shows; empty if there are none. */
export function settingsText(configuration: Configuration): string {
  const { schedule, clip, accumulate, nonFinite, lossScale, ema } = configuration;
  return [
    schedule !== defaultSchedule && `schedule ${schedule}`,
    clip !== null && `clipped to a global norm of ${clip}`,
    accumulate > 1 && `${accumulate} batches per step`,
    lossScale !== null &&
      (lossScale === "dynamic" ? "dynamic loss scale" : `loss scale ${lossScale}`),
    nonFinite !== "propagate" && `gradients that are not finite: ${nonFinite}`,
    ema !== null && `evaluated with an average of the weights (momentum ${ema})`,
  ]
    .filter((text) => text !== false)
    .join(", ");
}

export function documentOf(
  configuration: Configuration,
  run: Run,
  comparison?: Comparison,
): TrainingDocument {
  return {
    ...runDocument(run),
    configuration,
    ...(comparison && {
      comparison: {
        backends: comparison.backends.map(({ backend, speedup, lossDifference, runs }) => ({
          backend,
          speedup: speedup ?? null,
          lossDifference: lossDifference ?? null,
          gradstep: runDocument(runs.gradstep),
          "TF.js": runDocument(runs["TF.js"]),
        })),
      },
    }),
  };
}

function runDocument(run: Run): RunDocument {
  const { evaluation, interrupted, history, batchLosses, learningRates } = run;
  const { steps, skippedSteps, optimizerTimes, seconds } = run;
  const failure = failureOf(run) ?? null;
  return {
    validationAccuracy: evaluation.accuracy,
    validationLoss: evaluation.loss,
    interrupted,
    diverged: failure?.kind === "diverged",
    failure,
    history,
    batchLosses,
    learningRates,
    timing: {
      batches: batchLosses.length,
      steps,
      skippedSteps,
      seconds,
      batchesPerSecond: batchLosses.length / seconds,
      optimizerSeconds: optimizerSeconds(run),
      optimizerFraction: optimizerFraction(run),
      optimizerMillisecondsPerBatch: median(optimizerTimes) * 1000,
    },
  };
}
