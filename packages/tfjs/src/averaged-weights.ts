import { GradstepError, show } from "@gradstep/core";
import { isInstance } from "@gradstep/core/internal";
import { GradstepOptimizer } from "./gradstep-optimizer.js";

/** Callbacks of `model.fit`. */
export interface AveragedWeights {
  readonly onEpochBegin: () => void;
  readonly onEpochEnd: () => void;
  readonly onTrainEnd: () => void;
}

/**
 * Callbacks of `model.fit` with which every epoch ends on the averaged weights of `ema`, `scheduleFreeAdamw` and others:
 * callbacks that come later evaluate and save these. The next epoch begins with the trained weights, and so does the time
 * after the training; call `optimizer.swap()` to use the averages then. As Keras's `SwapEMAWeights(swap_on_epoch=True)`.
 *
 * In a list with `tf.callbacks.earlyStopping()`, pass `new tf.CustomCallback(averagedWeights(optimizer))`: TF.js does not
 * mix plain objects with its own classes.
 *
 * TF.js computes `val_loss` before an epoch ends, with the trained weights; call `model.evaluate` in a later callback.
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function averagedWeights(optimizer: GradstepOptimizer): AveragedWeights {
  if (!isInstance(optimizer, GradstepOptimizer))
    throw new GradstepError(
      `averagedWeights: got ${show(optimizer)}; expected an optimizer of @gradstep/tfjs, such as the one of compile.`,
      { code: "INVALID_PARAMETER" },
    );
  const swapBack = (): void => {
    if (optimizer.isSwapped) optimizer.swap();
  };
  return {
    onEpochBegin: swapBack,
    onEpochEnd: () => optimizer.swap(),
    onTrainEnd: swapBack,
  };
}
