import type { Comparison } from "./comparison.js";
import { layerWidths, parameterCount } from "./model.js";
import type { Gpu } from "./gpu.js";
import type { Options } from "./options.js";
import type { Epoch, Run } from "./run.js";
import type { Backend, BackendName } from "./tfjs.js";

/** What was trained, and how. */
export interface Configuration {
  readonly optimizer: string;
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** The one that `auto` found. */
  readonly backend: BackendName;
  /** What computes, on webgpu. */
  readonly gpu?: Gpu;
  readonly seed: number;
  /** Units of each layer, from the pixels to the classes. */
  readonly layers: readonly number[];
  readonly parameters: number;
  readonly trainingDigits: number;
  readonly heldOutDigits: number;
}

export interface Timing {
  readonly steps: number;
  /** Training and validation, without loading the digits. */
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly optimizerSeconds: number;
  /** `optimizerSeconds` over `seconds`. */
  readonly optimizerShare: number;
}

/** A training as JSON; losses that are no finite numbers come out as null. */
export interface RunDocument {
  /** Share of the held-out digits that are right at the end, 0 to 1. */
  readonly validationAccuracy: number;
  readonly validationLoss: number;
  readonly interrupted: boolean;
  readonly history: readonly Epoch[];
  readonly timing: Timing;
}

/** What `--json` prints; with `--compare`, `comparison` holds every contender. */
export interface TrainingDocument extends RunDocument {
  readonly configuration: Configuration;
  readonly comparison?: {
    readonly contenders: readonly (RunDocument & {
      readonly optimizer: string;
      readonly backend: string;
    })[];
    readonly ratios: Comparison["ratios"];
  };
}

export function configurationOf(
  options: Options,
  digits: { training: { count: number }; heldOut: { count: number } },
  { name, gpu }: Backend,
): Configuration {
  const { optimizer, learningRate, epochs, batchSize, seed } = options;
  return {
    optimizer,
    learningRate,
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
        contenders: comparison.contenders.map(({ maker, backend, run: contender }) => ({
          optimizer: maker,
          backend,
          ...runDocument(contender),
        })),
        ratios: comparison.ratios,
      },
    }),
  };
}

function runDocument({
  evaluation,
  interrupted,
  history,
  stepLosses,
  seconds,
  optimizerSeconds,
}: Run): RunDocument {
  const steps = stepLosses.length;
  return {
    validationAccuracy: evaluation.accuracy,
    validationLoss: evaluation.loss,
    interrupted,
    history,
    timing: {
      steps,
      seconds,
      stepsPerSecond: steps / seconds,
      optimizerSeconds,
      optimizerShare: optimizerSeconds / seconds,
    },
  };
}
