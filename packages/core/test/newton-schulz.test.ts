import { describe, expect, test } from "vitest";
import { newtonSchulz } from "../src/language/newton-schulz.js";
import { numbers } from "./support.js";

type Matrix = readonly (readonly number[])[];

/** The product as the textbook writes it. */
function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)),
  );
}

function transpose(a: Matrix): Matrix {
  return a[0].map((_, j) => a.map((row) => row[j]));
}

/** aX + b(XXᵀ)X + c(XXᵀ)²X, without a choice of the smaller side. */
function iterationOf(x: Matrix, a: number, b: number, c: number): Matrix {
  const cubic = multiply(multiply(x, transpose(x)), x);
  const quintic = multiply(multiply(x, transpose(x)), cubic);
  return x.map((row, i) => row.map((value, j) => a * value + b * cubic[i][j] + c * quintic[i][j]));
}

function matrixOf(values: ArrayLike<number>, rows: number, columns: number): Matrix {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_unused, j) => values[i * columns + j]),
  );
}

const coefficients = [3.4445, -4.775, 2.0315] as const;

describe.each([
  [1, 1],
  [1, 7],
  [7, 1],
  [4, 3],
  [3, 4],
  [5, 5],
  [9, 20],
  [33, 17],
])("of %i × %i", (rows, columns) => {
  const x = numbers(rows * columns, rows + 31 * columns).map(
    (value) => value / Math.sqrt(rows * columns),
  );
  const dimensions = { matrices: 1, rows, columns };

  test("in f64, the iteration is aX + bXXᵀX + c(XXᵀ)²X", () => {
    const result = new Float64Array(rows * columns);
    newtonSchulz(x, result, dimensions, coefficients, (value) => value);
    const expected = iterationOf(matrixOf(x, rows, columns), ...coefficients).flat();
    for (const [i, value] of result.entries()) expect(value).toBeCloseTo(expected[i], 13);
  });

  test("in f32, sums go along k in order, and each operation is rounded", () => {
    const result = new Float32Array(rows * columns);
    const [a, b, c] = coefficients.map(Math.fround);
    newtonSchulz(x, result, dimensions, [a, b, c], Math.fround);
    // The same with a Float32Array as the only way of rounding.
    const f32 = Float32Array.of(0, 0);
    const at = (i: number, k: number): number =>
      rows > columns ? x[k * columns + i] : x[i * columns + k];
    const [m, n] = [Math.min(rows, columns), Math.max(rows, columns)];
    const dot = (count: number, left: (k: number) => number, right: (k: number) => number) => {
      f32[0] = 0;
      for (let k = 0; k < count; k += 1) {
        f32[1] = left(k) * right(k);
        f32[0] += f32[1];
      }
      return f32[0];
    };
    const sum = (p: number, q: number, r: number, s: number): number => {
      f32[0] = p * q;
      f32[1] = r * s;
      f32[0] += f32[1];
      return f32[0];
    };
    const square = (value: (i: number, j: number) => number): number[][] =>
      Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_unused, j) => value(i, j)));
    const gram = square((i, j) =>
      dot(
        n,
        (k) => at(i, k),
        (k) => at(j, k),
      ),
    );
    const polynomial = square((i, j) =>
      sum(
        b,
        gram[i][j],
        c,
        dot(
          m,
          (k) => gram[i][k],
          (k) => gram[k][j],
        ),
      ),
    );
    for (let i = 0; i < m; i += 1) {
      for (let j = 0; j < n; j += 1) {
        const applied =
          rows > columns
            ? dot(
                m,
                (k) => at(k, j),
                (k) => polynomial[k][i],
              )
            : dot(
                m,
                (k) => polynomial[i][k],
                (k) => at(k, j),
              );
        const index = rows > columns ? j * columns + i : i * columns + j;
        expect(result[index]).toBe(sum(a, at(i, j), applied, 1));
      }
    }
  });
});

test("each matrix of a batch is iterated alone, also in place", () => {
  const x = numbers(3 * 12, 5);
  const expected = new Float32Array(36);
  for (let i = 0; i < 3; i += 1)
    newtonSchulz(
      x.subarray(12 * i, 12 * i + 12),
      expected.subarray(12 * i, 12 * i + 12),
      { matrices: 1, rows: 3, columns: 4 },
      coefficients,
      Math.fround,
    );
  newtonSchulz(x, x, { matrices: 3, rows: 3, columns: 4 }, coefficients, Math.fround);
  expect(x).toEqual(expected);
});

test("five iterations bring the singular values near to 1", () => {
  const x = Float64Array.from(numbers(8 * 5, 3));
  const norm = Math.hypot(...x);
  for (let i = 0; i < x.length; i += 1) x[i] /= norm;
  for (let i = 0; i < 5; i += 1)
    newtonSchulz(x, x, { matrices: 1, rows: 8, columns: 5 }, coefficients, (value) => value);
  // xᵀ(MᵀM)x lies between the squares of the smallest and the largest singular value, for every unit vector x.
  const m = matrixOf(x, 8, 5);
  const gram = multiply(transpose(m), m);
  for (let seed = 0; seed < 50; seed += 1) {
    const vector = [...numbers(5, seed)];
    const length = Math.hypot(...vector);
    const image = multiply(
      gram,
      vector.map((value) => [value / length]),
    );
    const square = image.reduce((sum, [value], i) => sum + (value * vector[i]) / length, 0);
    expect(square).toBeGreaterThan(0.6 ** 2);
    expect(square).toBeLessThan(1.3 ** 2);
  }
});

test("a = 1, b = 0 and c = 0 computes nothing", () => {
  const x = Float32Array.of(-0, Number.NaN, Infinity, 2 ** -149, 1, 3e38);
  const result = new Float32Array(6);
  newtonSchulz(x, result, { matrices: 1, rows: 2, columns: 3 }, [1, 0, 0], Math.fround);
  expect(result).toEqual(x);
});
