import { smallestNorm, type CheckedActivation } from "@gradstep/core";
import { sigmoid } from "./activate.js";

const f32 = Math.fround;

/**
 * Gradients by the values of a row, from those by its activated values, in f32: each operation is rounded, and each
 * activation once. Exact backends have these bits.
 */
export function chainRule(
  { kind, scale }: CheckedActivation,
  row: ArrayLike<number>,
  gradients: ArrayLike<number>,
): Float32Array {
  const values = Float32Array.from(row);
  if (kind === "normalize") {
    const norm = Math.max(Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)), smallestNorm);
    const normalized = values.map((x) => x / norm);
    const along = normalized.reduce((sum, n, i) => f32(sum + f32(n * gradients[i])), 0);
    return normalized.map((n, i) => f32(gradients[i] - f32(n * along)) / f32(norm));
  }
  return values.map((x, i) => {
    const g = gradients[i];
    switch (kind) {
      case "exp":
        return g * f32(Math.exp(x));
      case "sigmoid":
        return g * f32(f32(sigmoid(x)) * f32(sigmoid(-x)));
      case "softplus":
        return g * f32(sigmoid(x));
      case "affine":
        return g * f32(scale);
      case "identity":
        return g;
    }
  });
}
