import {
  checkpointer,
  type CheckpointedOptimizer,
  type CheckpointStore,
  type Restorable,
} from "@gradstep/checkpoint";
import { tfParameters } from "@gradstep/tfjs";
import type { Sequential } from "@tensorflow/tfjs-layers";
import { OptionsError } from "../options.mjs";
import type { TrainingDigits } from "../data/training-digits.js";
import type { ProgressMeter } from "./progress-meter.js";
import type { Observer, TrainingSettings } from "./run.js";

/** Where and how often a training is saved. */
export interface CheckpointSettings {
  readonly store: CheckpointStore;
  /** Steps between two saves. */
  readonly every: number;
  /** Whether the training goes on from the newest checkpoint, if there is one. */
  readonly resumes: boolean;
}

/** What a training consists of, apart from its optimizer. */
export interface TrainingParts {
  readonly network: Sequential;
  readonly digits: TrainingDigits;
  readonly progress: ProgressMeter;
}

/** Saves a training, and resumes it. */
export interface TrainingSaves {
  /**
   * Resumes if that is wanted, and tells the observer where the training goes on.
   * @throws {OptionsError} for a training with other settings
   */
  start(observer: Observer): Promise<void>;
  /** To be called after each batch. */
  afterBatch(): void;
  /** Saves the end of the training. */
  end(): Promise<void>;
}

/** Makes the saves of a training when its network is there. */
export type SaveTraining = (parts: TrainingParts) => TrainingSaves;

export function savesTo(
  { store, every, resumes }: CheckpointSettings,
  optimizer: CheckpointedOptimizer,
  { batchSize, seed }: TrainingSettings,
): SaveTraining {
  return ({ network, digits, progress }) => {
    const checkpoints = checkpointer(optimizer, tfParameters(network), {
      store,
      every,
      others: { settings: sameSettings({ batchSize, seed }), digits, progress },
    });
    let resumedBatches = -1;
    return {
      async start(observer) {
        if (!resumes) return;
        const resumed = await checkpoints.resume();
        if (resumed !== undefined) resumedBatches = progress.losses.length;
        observer.onResume?.(
          resumed && {
            epoch: progress.epoch,
            batch: progress.epochBatches,
            steps: resumed.iterations,
            damaged: resumed.damaged.map(({ id }) => id),
          },
        );
      },
      afterBatch: () => checkpoints.afterStep(),
      async end() {
        if (progress.losses.length !== resumedBatches) await checkpoints.save();
        await checkpoints.close();
      },
    };
  };
}

/** Refuses to go on with other settings: the digits would come in another order. */
function sameSettings(settings: { readonly batchSize: number; readonly seed: number }): Restorable {
  return {
    state: () => settings,
    restore({ batchSize, seed }: typeof settings) {
      if (batchSize === settings.batchSize && seed === settings.seed) return;
      throw new OptionsError(
        `Got --batch-size ${settings.batchSize} --seed ${settings.seed} with --resume; expected --batch-size ${batchSize} --seed ${seed}, with which the checkpoint was made.`,
      );
    },
  };
}
