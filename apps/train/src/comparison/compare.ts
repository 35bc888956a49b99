import { tfjsAdam } from "./tfjs-adam.js";
import { learningRateSchedule } from "../training/learning-rate-schedule.js";
import type { Digits, Observer, Run } from "@gradstep/digits";
import {
  gradstepOptimizer,
  train,
  type TrainingOptimizer,
  TurnQueue,
} from "@gradstep/digits/training";
import { median } from "@gradstep/apps-shared/median";
import { type BackendName, useBackend } from "../backend.js";
import type { Options } from "../options.mjs";

/** The library whose Adam is used. */
export type Library = "gradstep" | "TF.js";

export const libraries: readonly Library[] = ["gradstep", "TF.js"];

/** Two trainings on one backend, one with each library's Adam. */
export interface BackendComparison {
  readonly backend: BackendName;
  readonly runs: Readonly<Record<Library, Run>>;
  /** TF.js's median time per optimizer step divided by gradstep's; undefined if one of them made no step. */
  readonly speedup: number | undefined;
  /**
   * The largest difference between the losses of a step. It starts near 1e-6: TF.js has β2 in f32, so its 1 − β2ᵗ is off
   * by 1e-5. Later it may be a thousand times as large, where a rectified unit is active in only one of the networks.
   */
  readonly lossDifference: number | undefined;
}

export interface Comparison {
  readonly backends: readonly BackendComparison[];
}

/** What to compare. */
export interface ComparedTrainings {
  readonly digits: Digits;
  readonly options: Options;
  /** A backend that is compared besides those of every comparison. */
  readonly chosen: BackendName;
  /** When it aborts, the trainings stop, and no further backend is started. */
  readonly signal?: AbortSignal;
}

type Observers = Readonly<Record<Library, Observer>>;

/** The backends of every comparison. */
const alwaysCompared: readonly BackendName[] = ["wasm", "cpu-js"];

/**
 * Trains with gradstep's Adam and with TF.js's own, on `chosen`, wasm and cpu-js: the same initial weights, digits and
 * order of digits. The two trainings of a backend take turns, one batch each, so that whatever else the machine does slows
 * both.
 */
export async function compare(
  comparison: ComparedTrainings,
  observe: (backend: BackendName) => Observers,
): Promise<Comparison> {
  const { chosen, signal } = comparison;
  const backends: BackendComparison[] = [];
  for (const backend of new Set([chosen, ...alwaysCompared])) {
    // The first one always starts, so that there is a run to report, even if it has no batch.
    if (signal?.aborted === true && backends.length > 0) break;
    await useBackend(backend);
    backends.push(await compareOn(backend, comparison, observe(backend)));
  }
  return { backends };
}

async function compareOn(
  backend: BackendName,
  { digits, options, signal }: ComparedTrainings,
  observers: Observers,
): Promise<BackendComparison> {
  const turns = new TurnQueue();
  // gradstep has the first turn of every round. Both trainings stop in the round in which it sees the signal, so that
  // they have the same number of batches.
  const stop = new AbortController();
  if (signal?.aborted === true) stop.abort();
  const first: Observer = {
    ...observers.gradstep,
    onBatch: (progress) => {
      observers.gradstep.onBatch?.(progress);
      if (signal?.aborted === true) stop.abort();
    },
  };
  const run = async (optimizer: TrainingOptimizer, observer: Observer): Promise<Run> => {
    try {
      return await train({
        optimizer,
        digits,
        settings: options,
        signal: stop.signal,
        observer,
        turns,
      });
    } catch (error) {
      stop.abort();
      throw error;
    }
  };
  const schedule = learningRateSchedule(options, digits.training.count);
  const [gradstep, tfjs] = await Promise.all([
    run(gradstepOptimizer(options, schedule), first),
    run(tfjsAdam(schedule), observers["TF.js"]),
  ]);
  const runs = { gradstep, "TF.js": tfjs };
  const batches = Math.min(gradstep.batchLosses.length, tfjs.batchLosses.length);
  if (batches === 0) return { backend, runs, speedup: undefined, lossDifference: undefined };
  return {
    backend,
    runs,
    speedup: median(tfjs.optimizerTimes) / median(gradstep.optimizerTimes),
    lossDifference: gradstep.batchLosses
      .slice(0, batches)
      .reduce((max, loss, batch) => Math.max(max, Math.abs(loss - tfjs.batchLosses[batch])), 0),
  };
}
