import type { Dimensions } from "@gradstep/core";
import { MatrixProduct } from "./matrix-product.js";

/**
 * Newton–Schulz iterations: X′ = aX + (bA + cA²)X with A = XXᵀ, on the smaller side of X. Memory for the matrices between
 * is allocated for the largest X so far.
 */
export class NewtonSchulz {
  readonly #round: (value: number) => number;
  readonly #product: MatrixProduct;
  #x = new Float64Array(0);
  #transposed = new Float64Array(0);
  #applied = new Float64Array(0);
  #gram = new Float64Array(0);
  #polynomial = new Float64Array(0);

  /** @param round `Math.fround` rounds each operation, with the bits of the reference; otherwise only the result is */
  constructor(round: (value: number) => number) {
    this.#round = round;
    this.#product = new MatrixProduct(round);
  }

  /** One iteration on each matrix of a batch. `to` may be `from`. */
  run(
    from: Float32Array,
    to: Float32Array,
    { matrices, rows, columns }: Dimensions,
    coefficients: ArrayLike<number>,
  ): void {
    const length = rows * columns;
    const a = coefficients[0];
    if (a === 1 && coefficients[1] === 0 && coefficients[2] === 0) {
      if (to !== from) to.set(from);
      return;
    }
    this.#allocate(length, Math.min(rows, columns));
    const x = this.#x;
    const applied = this.#applied;
    const round = this.#round;
    for (let start = 0; start < matrices * length; start += length) {
      this.#load(from, start, rows, columns);
      this.#iterate(rows, columns, coefficients);
      for (let i = 0; i < length; i += 1) {
        to[start + i] = round(a * x[i]) + applied[i];
      }
    }
  }

  /** (bA + cA²)X, into `#applied`. */
  #iterate(rows: number, columns: number, coefficients: ArrayLike<number>): void {
    // Fields one by one: a destructured list would be an array per iteration.
    const x = this.#x;
    const transposed = this.#transposed;
    const gram = this.#gram;
    const polynomial = this.#polynomial;
    const round = this.#round;
    const isTall = rows > columns;
    const size = isTall ? columns : rows;
    const length = isTall ? rows : columns;
    const lines = isTall ? x : transposed;
    this.#product.multiply(lines, lines, gram, size, size, length);
    this.#product.multiply(gram, gram, polynomial, size, size, size);
    const b = coefficients[1];
    const c = coefficients[2];
    for (let i = 0; i < size * size; i += 1)
      polynomial[i] = round(round(b * gram[i]) + round(c * polynomial[i]));
    const left = isTall ? transposed : polynomial;
    const right = isTall ? polynomial : x;
    this.#product.multiply(left, right, this.#applied, rows, columns, size);
  }

  #load(from: Float32Array, start: number, rows: number, columns: number): void {
    for (let i = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1) {
        const value = from[start + i * columns + j];
        this.#x[i * columns + j] = value;
        this.#transposed[j * rows + i] = value;
      }
    }
  }

  #allocate(length: number, size: number): void {
    if (this.#x.length < length) {
      this.#x = new Float64Array(length);
      this.#transposed = new Float64Array(length);
      this.#applied = new Float64Array(length);
    }
    if (this.#gram.length < size * size) {
      this.#gram = new Float64Array(size * size);
      this.#polynomial = new Float64Array(size * size);
    }
  }
}
