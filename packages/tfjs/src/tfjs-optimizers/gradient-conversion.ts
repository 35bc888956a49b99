import { isInstance, isSameShape } from "@gradstep/core/internal";
import {
  broadcastTo,
  cast,
  engine,
  Tensor,
  tidy,
  type NamedTensorMap,
} from "@tensorflow/tfjs-core";
import { listOf, type NamedTensor } from "../step/gradients.js";

/**
 * Gradients in the forms that TF.js's optimizers accept, for `apply`: tensors of other dtypes are cast, and those that
 * can be broadcast to the shape of their variable are. Missing ones are left out.
 */
export function withTfjsGradients(
  gradients: NamedTensorMap | NamedTensor[],
  apply: (gradients: NamedTensor[]) => void,
): void {
  const given = listOf(gradients).filter(({ tensor }) => (tensor ?? undefined) !== undefined);
  if (given.every(isPlain)) {
    apply(given);
    return;
  }
  tidy(() => {
    apply(given.map((one) => (isPlain(one) ? one : { name: one.name, tensor: converted(one) })));
  });
}

/** Whether it needs no conversion, has no variable to be converted for, or is wrong, which the step says. */
function isPlain({ name, tensor }: NamedTensor): boolean {
  const variable = engine().registeredVariables[name];
  if (variable === undefined || !isInstance(tensor, Tensor) || tensor.isDisposed) return true;
  return tensor.dtype === "float32" && isSameShape(tensor.shape, variable.shape);
}

function converted({ name, tensor }: NamedTensor): NamedTensor["tensor"] {
  const { shape } = engine().registeredVariables[name];
  const cannotBroadcast =
    tensor.rank > shape.length ||
    tensor.shape.some((length, i) => length !== 1 && length !== shape.at(i - tensor.rank));
  const floats = tensor.dtype === "complex64" ? tensor : cast(tensor, "float32");
  return cannotBroadcast || isSameShape(tensor.shape, shape) ? floats : broadcastTo(floats, shape);
}
