import { GradstepError, show } from "@gradstep/core";
import { isInstance } from "@gradstep/core/internal";
import { div, mul, Tensor, tidy, type Scalar } from "@tensorflow/tfjs-core";

/**
 * A loss times the loss scale, as a new tensor.
 * @throws {GradstepError} `INVALID_GRADIENT` for what is no tensor, `DISPOSED`
 */
export function scaledLoss(loss: Scalar, scale: () => number | Scalar): Scalar {
  if (!isInstance(loss, Tensor as never) && typeof loss !== "number")
    throw new GradstepError(`scaleLoss: got ${show(loss)}; expected the loss, a scalar.`, {
      code: "INVALID_GRADIENT",
    });
  if (typeof loss !== "number" && loss.isDisposed)
    throw new GradstepError("scaleLoss: the loss was disposed of; expected a live tensor.", {
      code: "DISPOSED",
    });
  return tidy(() => mul(loss, scale()));
}

/** A scaled loss divided by the loss scale, as a new tensor; the scaled loss is disposed of. */
export function unscaledLoss(loss: Scalar, scale: () => number | Scalar): Scalar {
  const result = tidy(() => div<Scalar>(loss, scale()));
  loss.dispose();
  return result;
}
