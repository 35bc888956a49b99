import type { Rounding } from "../language/precision.js";
import { smallestNorm, type CheckedActivation } from "./activation.js";

/** Anything with numbers at indices. */
interface Values {
  readonly length: number;
  [index: number]: number;
}

/**
 * An activation of one value, computed in f64 and rounded once.
 * @param norm that of the value's row, for `normalize`: see `normOf`
 */
export function activate(
  { kind, scale, offset }: CheckedActivation,
  value: number,
  norm: number,
  round: Rounding,
): number {
  if (kind === "identity") return value;
  if (kind === "exp") return round(Math.exp(value));
  if (kind === "sigmoid") return round(sigmoid(value));
  if (kind === "softplus")
    return round(Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value))));
  if (kind === "affine") return round(value * scale + offset);
  return round(value / norm);
}

/** The Euclidean norm of a row, at least `smallestNorm`, for `normalize`; 1 for other activations. */
export function normOf(
  { kind }: CheckedActivation,
  values: ArrayLike<number>,
  start: number,
  columns: number,
): number {
  if (kind !== "normalize") return 1;
  let sum = 0;
  for (let j = start; j < start + columns; j += 1) sum += values[j] * values[j];
  return Math.max(Math.sqrt(sum), smallestNorm);
}

/** Rows of an array without gaps. */
export interface DenseRows {
  readonly values: Values;
  /** The indices of the rows. */
  readonly rows: Uint32Array;
}

/**
 * The chain rule: turns gradients with respect to activated values into those with respect to the values, in place. Every
 * operation is rounded, in the order in which the formula has them; activations are rounded once.
 *
 * @param count the number of rows
 */
export function applyChainRule(
  activation: CheckedActivation,
  parameter: DenseRows,
  gradient: DenseRows,
  count: number,
  columns: number,
  round: Rounding,
): void {
  const { values: p } = parameter;
  const { values: g } = gradient;
  for (let k = 0; k < count; k += 1) {
    const from = parameter.rows[k] * columns;
    const start = gradient.rows[k] * columns;
    if (activation.kind === "normalize") {
      chainOfNormalize(activation, p, from, g, start, columns, round);
      continue;
    }
    for (let j = 0; j < columns; j += 1)
      g[start + j] = round(g[start + j] * derivative(activation, p[from + j], round));
  }
}

function derivative(activation: CheckedActivation, value: number, round: Rounding): number {
  const { kind, scale } = activation;
  if (kind === "exp") return round(Math.exp(value));
  if (kind === "sigmoid") return round(round(sigmoid(value)) * round(sigmoid(-value)));
  if (kind === "softplus") return round(sigmoid(value));
  return kind === "affine" ? scale : 1;
}

/** (g − n (n · g)) / ‖p‖ with n = p / ‖p‖. */
function chainOfNormalize(
  activation: CheckedActivation,
  p: Values,
  from: number,
  g: Values,
  start: number,
  columns: number,
  round: Rounding,
): void {
  const norm = normOf(activation, p, from, columns);
  let product = 0;
  for (let j = 0; j < columns; j += 1)
    product = round(product + round(round(p[from + j] / norm) * g[start + j]));
  for (let j = 0; j < columns; j += 1) {
    const along = round(round(p[from + j] / norm) * product);
    g[start + j] = round(round(g[start + j] - along) / round(norm));
  }
}

function sigmoid(value: number): number {
  if (value >= 0) return 1 / (1 + Math.exp(-value));
  const power = Math.exp(value);
  return power / (1 + power);
}
