import { smallestNorm, type CheckedActivation } from "@gradstep/core";

/** The activated values of a row, in f64, rounded once. */
export function activate(
  { kind, scale, offset }: CheckedActivation,
  row: Float32Array,
): Float32Array {
  if (kind === "normalize") {
    const norm = Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), smallestNorm);
    return row.map((x) => x / norm);
  }
  return row.map((x) => {
    switch (kind) {
      case "exp":
        return Math.exp(x);
      case "sigmoid":
        return sigmoid(x);
      case "softplus":
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      case "affine":
        return x * scale + offset;
      case "identity":
        return x;
    }
  });
}

/** In f64, without overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}
