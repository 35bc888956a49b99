import { GradstepError, hasNames, show, smallestNormal, type Dimensions } from "@gradstep/core";
import { newtonSchulz } from "@gradstep/core/internal";
import { checkModel } from "../option-checks.js";
import type { ErrorModel } from "./error-model.js";

/** Values that an implementation may have: at most `radius` from `exact`, in the Frobenius norm of each matrix. */
export interface MatrixBound {
  readonly exact: Float64Array;
  /** One per matrix. Infinite if any value is possible. */
  readonly radius: Float64Array;
}

/** A number that an implementation may round: `exact` ± `error`. */
export interface Coefficient {
  readonly exact: number;
  readonly error: number;
}

/**
 * The possible results of a Newton–Schulz iteration f(X) = aX + (bA + cA²)X with A = XXᵀ, from those of X.
 *
 * An error of X is passed on by at most max |p′(σ)|, where p(σ) = aσ + bσ³ + cσ⁵ and σ goes up to the spectral norm s of
 * all possible X: f applies p to the singular values, and the derivative of such a function has as its singular values
 * the differences (p(σᵢ) ∓ p(σⱼ)) / (σᵢ ∓ σⱼ) and p(σ) / σ (Higham 2008, Section 3.2), each of which is p′ somewhere
 * between −s and s.
 *
 * To it come the errors of the iteration's own operations. A sum of K products has an error of at most
 * γ = Kε / (1 − Kε) times the sum of their magnitudes, in any order and with or without fused operations; the Frobenius
 * norm of those sums is at most ‖L‖·‖R‖. Norms of products: ‖LR‖ ≤ ‖L‖₂·‖R‖.
 *
 * @param x one value per element of all matrices, one radius per matrix
 * @param coefficients a, b and c
 * @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_HYPERPARAMETER` for what is no error model
 */
export function newtonSchulzBound(
  x: MatrixBound,
  dimensions: Dimensions,
  coefficients: readonly Coefficient[],
  model: ErrorModel,
): MatrixBound {
  checkArguments(x, dimensions, coefficients);
  checkModel("newtonSchulzBound", model ?? null);
  const { exact: values, radius } = x;
  const [a, b, c] = coefficients;
  const exact = new Float64Array(values.length);
  const factors = [a, b, c].map((one) => one.exact);
  newtonSchulz(values, exact, dimensions, factors, (value) => value);
  const isIdentity = a.exact === 1 && b.exact === 0 && c.exact === 0;
  if (isIdentity) return { exact, radius };
  const { matrices, rows, columns } = dimensions;
  const size = rows * columns;
  const radii = Float64Array.from({ length: matrices }, (_, i) => {
    const matrix = { values: values.subarray(i * size, (i + 1) * size), rows, columns };
    const norm = spectralNorm(matrix) + radius[i];
    const passedOn = largestSlope(norm, factors) * radius[i];
    const norms = { spectralNorm: norm, frobeniusNorm: frobeniusNorm(matrix.values) + radius[i] };
    const own = ownError({ rows, columns, ...norms }, [a, b, c], model);
    const total = (passedOn + own) * (1 + 64 * model.arithmetic);
    // Above the range of f32 anything may happen.
    return total < 2 ** 64 && norm < 2 ** 24 ? total : Infinity;
  });
  return { exact, radius: radii };
}

/** @throws {GradstepError} `INVALID_PARAMETER` */
function checkArguments(x: unknown, dimensions: unknown, coefficients: unknown): void {
  const sizes = (hasNames(dimensions) ? dimensions : {}) as unknown as Dimensions;
  const { matrices, rows, columns } = sizes;
  const areSizes = [matrices, rows, columns].every((one) => Number.isSafeInteger(one) && one > 0);
  if (!areSizes)
    throw invalid("the dimensions", dimensions, "{ matrices, rows, columns }, positive integers");
  const { exact, radius } = (hasNames(x) ? x : {}) as Partial<MatrixBound>;
  const size = matrices * rows * columns;
  const isBound =
    exact instanceof Float64Array &&
    radius instanceof Float64Array &&
    exact.length === size &&
    radius.length === matrices;
  if (!isBound)
    throw invalid(
      "the bound",
      x,
      `{ exact, radius }, Float64Arrays of ${size} and ${matrices} values`,
    );
  const areCoefficients =
    Array.isArray(coefficients) &&
    coefficients.length === 3 &&
    coefficients.every((one) => hasNames(one) && isNumber(one["exact"]) && isNumber(one["error"]));
  if (!areCoefficients)
    throw invalid("the coefficients", coefficients, "three, each { exact, error }");
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function invalid(what: string, got: unknown, expected: string): GradstepError {
  return new GradstepError(
    `newtonSchulzBound: got ${show(got)} as ${what}; expected ${expected}.`,
    {
      code: "INVALID_PARAMETER",
    },
  );
}

/** A matrix. */
interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** The matrices that an X may be. */
interface PossibleMatrices {
  readonly rows: number;
  readonly columns: number;
  /** The largest spectral norm of them. */
  readonly spectralNorm: number;
  /** The largest Frobenius norm of them. */
  readonly frobeniusNorm: number;
}

/** The errors of the operations of an iteration. */
function ownError(
  { rows, columns, spectralNorm: s, frobeniusNorm: normX }: PossibleMatrices,
  [a, b, c]: readonly Coefficient[],
  model: ErrorModel,
): number {
  const [m, n] = [Math.min(rows, columns), Math.max(rows, columns)];
  const gamma = (operations: number): number =>
    (operations * model.arithmetic) / (1 - operations * model.arithmetic);
  // Per element: a loss among subnormals in each operation, and of each operand that is taken for 0.
  const tiny = (terms: number, largest: number): number =>
    (model.flushes ? 4 * smallestNormal : model.underflow) *
    (1 + largest) *
    terms *
    Math.max(rows, columns);
  const [sizeA, sizeB, sizeC] = [a, b, c].map(({ exact, error }) => Math.abs(exact) + error);

  const normGram = s * normX;
  const gram = gamma(n) * normX * normX + tiny(n, s);
  const computedGram = normGram + gram;
  const square =
    gram * (2 * s * s + gram) + gamma(m) * computedGram * computedGram + tiny(m, s * s + gram);
  const computedSquare = s * s * normGram + square;
  const polynomial =
    sizeB * gram +
    sizeC * square +
    b.error * normGram +
    c.error * s * s * normGram +
    gamma(2) * (sizeB * computedGram + sizeC * computedSquare) +
    tiny(3, sizeB + sizeC);
  const normPolynomial = (sizeB + sizeC * s * s) * normGram;
  const spectralPolynomial = (sizeB + sizeC * s * s) * s * s;
  const applied =
    polynomial * s + gamma(m) * (normPolynomial + polynomial) * normX + tiny(m, s + normPolynomial);
  return (
    applied +
    a.error * normX +
    gamma(2) * (sizeA * normX + spectralPolynomial * normX + applied) +
    tiny(3, sizeA)
  );
}

/** The largest |a + 3bσ² + 5cσ⁴| for |σ| ≤ s. */
function largestSlope(s: number, [a, b, c]: readonly number[]): number {
  const slope = (square: number): number => Math.abs(a + 3 * b * square + 5 * c * square * square);
  const turn = c === 0 ? 0 : (-3 * b) / (10 * c);
  const candidates = [0, s * s, ...(turn > 0 && turn < s * s ? [turn] : [])];
  return Math.max(...candidates.map(slope));
}

/** Squarings in `spectralNorm`: with 2⁸, it is at most 2 % above the norm of a matrix with 20,000 rows. */
const squarings = 8;

/** An upper bound of the largest singular value: ‖A^k‖ to the power 1/2k, with A = XXᵀ on the smaller side. */
function spectralNorm({ values: x, rows, columns }: Matrix): number {
  const size = Math.min(rows, columns);
  let power = new Float64Array(size * size);
  const at = (i: number, k: number): number =>
    rows > columns ? x[k * columns + i] : x[i * columns + k];
  for (let i = 0; i < size; i += 1)
    for (let j = 0; j < size; j += 1)
      for (let k = 0; k < Math.max(rows, columns); k += 1)
        power[i * size + j] += at(i, k) * at(j, k);
  // A^k is `scale`^k times `power`; scaled so that no power leaves the range of f64.
  let logarithm = 0;
  for (let squaring = 0, exponent = 1; ; squaring += 1, exponent *= 2) {
    const norm = frobeniusNorm(power);
    if (!(norm > 0)) return norm;
    logarithm += Math.log(norm) / exponent;
    if (squaring === squarings) break;
    power = power.map((value) => value / norm);
    power = squared(power, size);
  }
  return Math.exp(logarithm / 2) * (1 + 2 ** -30);
}

function squared(a: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1)
    for (let k = 0; k < size; k += 1)
      for (let j = 0; j < size; j += 1) product[i * size + j] += a[i * size + k] * a[k * size + j];
  return product;
}

function frobeniusNorm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
