import type { Dimensions } from "../backend/dimensions.js";

/** Anything with numbers at indices. */
interface Values {
  [index: number]: number;
}

/**
 * One Newton–Schulz iteration on each matrix X of a batch: Y = a·X + (b·A + c·A·A)·X with A = X·Xᵀ, which moves the
 * singular values σ of X to a·σ + b·σ³ + c·σ⁵. If X has more rows than columns, Y is that of Xᵀ, transposed.
 *
 * Each element of a product is the sum over k = 0, 1, … in this order, beginning with +0; every product and every sum is
 * rounded. Then come b·A + c·(A·A), and a·X + (…)·X.
 *
 * @param from X, row-major, one matrix after the other
 * @param to Y; other memory than X
 * @param coefficients a, b and c
 * @param rounded whether every operation is rounded to f32
 */
export function newtonSchulz(
  from: Values,
  to: Values,
  { matrices, rows, columns }: Dimensions,
  [a, b, c]: readonly number[],
  rounded: boolean,
): void {
  const round = rounded ? Math.fround : (value: number): number => value;
  const isTall = rows > columns;
  const [m, n] = isTall ? [columns, rows] : [rows, columns];
  const gram = new Float64Array(m * m);
  const polynomial = new Float64Array(m * m);
  for (let start = 0; start < matrices * rows * columns; start += rows * columns) {
    /** Of X, or of Xᵀ if X is tall. */
    const index = (i: number, k: number): number =>
      start + (isTall ? k * columns + i : i * columns + k);
    const product = (
      count: number,
      left: (k: number) => number,
      right: (k: number) => number,
    ): number => {
      let sum = 0;
      for (let k = 0; k < count; k += 1) sum = round(sum + round(left(k) * right(k)));
      return sum;
    };
    for (let i = 0; i < m; i += 1)
      for (let j = 0; j < m; j += 1)
        gram[i * m + j] = product(
          n,
          (k) => from[index(i, k)],
          (k) => from[index(j, k)],
        );
    for (let i = 0; i < m; i += 1)
      for (let j = 0; j < m; j += 1) {
        const square = product(
          m,
          (k) => gram[i * m + k],
          (k) => gram[k * m + j],
        );
        polynomial[i * m + j] = round(round(b * gram[i * m + j]) + round(c * square));
      }
    for (let i = 0; i < m; i += 1)
      for (let j = 0; j < n; j += 1) {
        const moved = product(
          m,
          (k) => polynomial[i * m + k],
          (k) => from[index(k, j)],
        );
        to[index(i, j)] = round(round(a * from[index(i, j)]) + moved);
      }
  }
}
