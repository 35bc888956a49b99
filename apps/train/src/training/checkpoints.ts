import {
  checkpointer,
  type CheckpointedOptimizer,
  type CheckpointStore,
  type Restorable,
} from "@gradstep/checkpoint";
import { GradstepError } from "@gradstep/core";
import { tfParameters } from "@gradstep/tfjs";
import type { TrainingSettings } from "@gradstep/digits";
import type { SaveTraining } from "@gradstep/digits/training";
import { OptionsError } from "../options.mjs";

/** Where and how often a training is saved. */
export interface CheckpointSettings {
  readonly store: CheckpointStore;
  /** Steps between two saves. */
  readonly every: number;
  /** Whether the training goes on from the newest checkpoint, if there is one. */
  readonly resumes: boolean;
}

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
        // A folder that cannot be written, or that another training uses, is an error before the first step.
        await checkpoints.lock();
        if (!resumes) return;
        const resumed = await checkpoints.resume().catch(async (error: unknown) => {
          await checkpoints.close();
          throw error;
        });
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
      afterBatch: () => {
        try {
          checkpoints.afterStep();
        } catch (error) {
          throw withResumeHint(error);
        }
      },
      async end() {
        try {
          if (progress.losses.length !== resumedBatches) await checkpoints.save();
          await checkpoints.close();
        } catch (error) {
          throw withResumeHint(error);
        }
      },
    };
  };
}

/** The error of a save, which ends a training that has older checkpoints. */
function withResumeHint(error: unknown): unknown {
  if (!(error instanceof GradstepError)) return error;
  const { message, code } = error;
  return new GradstepError(`${message} Then --resume goes on from the newest checkpoint.`, {
    code,
    cause: error,
  });
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
