import type { Dimensions } from "./dimensions.js";
import type { Rounding } from "./precision.js";

/** Anything with numbers at indices. */
interface Values {
  [index: number]: number;
}

/**
 * One Newton–Schulz iteration on each matrix X of a batch, X′ = aX + (bA + cA²)X with A = XXᵀ, which moves the singular
 * values σ of X to aσ + bσ³ + cσ⁵. If X has more rows than columns, X′ is that of Xᵀ, transposed: aX + X(bA + cA²) with
 * A = XᵀX.
 *
 * In f32 every operation is rounded, in this order:
 * 1. A, then A² = A·A. An element of a product is the sum over k = 0, 1, … in this order, beginning with +0: the product
 *    of two factors is rounded, then added to the sum before.
 * 2. B = b·A + c·A²: two products per element, then their sum.
 * 3. B·X, or X·B: as 1.
 * 4. X′ = a·X + B·X: the product, then the sum.
 *
 * A, A² and B are symmetric in every bit, since the factors of a product commute: half of each is enough. An iteration
 * with a = 1, b = 0 and c = 0 computes nothing: X′ is X, so that a scalar can switch it off.
 *
 * @param from X, row-major, one matrix after the other
 * @param to X′; may be the same memory
 * @param coefficients a, b and c
 * @param round what an operation does to its exact result: `Math.fround` in f32
 */
export function newtonSchulz(
  from: Values,
  to: Values,
  { matrices, rows, columns }: Dimensions,
  [a, b, c]: readonly number[],
  round: Rounding,
): void {
  const size = rows * columns;
  const isIdentity = a === 1 && b === 0 && c === 0;
  for (let start = 0; start < matrices * size; start += size) {
    const values = Float64Array.from({ length: size }, (_, i) => from[start + i]);
    const x = { values, rows, columns };
    const moved = isIdentity ? x : iterate(x, [a, b, c], round);
    for (let i = 0; i < size; i += 1) to[start + i] = moved.values[i];
  }
}

interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

function iterate(x: Matrix, [a, b, c]: readonly number[], round: Rounding): Matrix {
  const isTall = x.rows > x.columns;
  const gram = isTall ? product(transpose(x), x, round) : product(x, transpose(x), round);
  const square = product(gram, gram, round);
  const polynomial = combine(gram, square, (one, two) => round(round(b * one) + round(c * two)));
  const applied = isTall ? product(x, polynomial, round) : product(polynomial, x, round);
  return combine(x, applied, (one, two) => round(round(a * one) + two));
}

function transpose({ values, rows, columns }: Matrix): Matrix {
  const transposed = new Float64Array(values.length);
  for (let i = 0; i < rows; i += 1)
    for (let j = 0; j < columns; j += 1) transposed[j * rows + i] = values[i * columns + j];
  return { values: transposed, rows: columns, columns: rows };
}

function product(left: Matrix, right: Matrix, round: Rounding): Matrix {
  const { rows, columns: length } = left;
  const { columns } = right;
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      let sum = 0;
      for (let k = 0; k < length; k += 1)
        sum = round(sum + round(left.values[i * length + k] * right.values[k * columns + j]));
      values[i * columns + j] = sum;
    }
  }
  return { values, rows, columns };
}

function combine(x: Matrix, y: Matrix, join: (x: number, y: number) => number): Matrix {
  return { ...x, values: x.values.map((value, i) => join(value, y.values[i])) };
}
