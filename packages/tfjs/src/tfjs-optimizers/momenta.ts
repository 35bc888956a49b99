import { lazyTensor } from "../state/lazy-tensor.js";
import type { NamedTensor } from "../step/gradients.js";

/**
 * The weights of RMSProp, with momenta of 0 if there are none: TF.js expects them even where the momentum is 0, and splits
 * the list by their number.
 */
export function withMomenta(weights: readonly NamedTensor[]): NamedTensor[] {
  if (weights.some(({ name }) => name.endsWith("/momentum"))) return [...weights];
  const momenta = weights
    .filter(({ name }) => name.endsWith("/rms"))
    .map(({ name, tensor }) => ({
      name: name.replace(/rms$/, "momentum"),
      tensor: lazyTensor(new Float32Array(tensor.size), tensor.shape, "float32"),
    }));
  // After `iter` and the means.
  const first = 1 + momenta.length;
  return [...weights.slice(0, first), ...momenta, ...weights.slice(first)];
}
