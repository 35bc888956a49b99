import { seededRandom, type Random } from "@gradstep/apps-shared/random";
import { Matrix, QrDecomposition } from "ml-matrix";
import type { MuonSettings } from "./settings.js";

/** The gradients of `settings.steps` steps: one matrix, with other noise in each step. Row-major. */
export function gradientsOf(settings: MuonSettings): Float32Array[] {
  const random = seededRandom(settings.seed);
  const mean = meanGradient(settings, random);
  const rms = mean.norm() / Math.sqrt(settings.rows * settings.columns);
  return Array.from({ length: settings.steps }, () => {
    const noise = gaussian(settings.rows, settings.columns, random).mul(settings.noise * rms);
    return Float32Array.from(Matrix.add(mean, noise).to1DArray());
  });
}

function meanGradient({ kind, rows, columns, condition }: MuonSettings, random: Random): Matrix {
  const rank = Math.min(rows, columns);
  switch (kind) {
    case "spectrum":
      // Singular values in equal ratios, from 1 to 1 / condition.
      return withSingularValues(
        rows,
        columns,
        Array.from({ length: rank }, (_, i) => condition ** (-i / Math.max(1, rank - 1))),
        random,
      );
    case "few-directions":
      return withSingularValues(
        rows,
        columns,
        Array.from({ length: rank }, (_, i) => (i < 2 ? 1 : 1 / condition)),
        random,
      );
    case "rare-features": {
      // Of a linear layer: each column belongs to an input, and inputs differ in how often they occur.
      const gradient = gaussian(rows, columns, random);
      for (let j = 0; j < columns; j += 1)
        gradient.mulColumn(j, condition ** (-j / Math.max(1, columns - 1)));
      return gradient;
    }
    case "random":
      return gaussian(rows, columns, random);
  }
}

function withSingularValues(
  rows: number,
  columns: number,
  values: readonly number[],
  random: Random,
): Matrix {
  const left = orthonormal(rows, values.length, random);
  const right = orthonormal(columns, values.length, random);
  return left.mmul(Matrix.diag([...values])).mmul(right.transpose());
}

function orthonormal(rows: number, columns: number, random: Random): Matrix {
  return new QrDecomposition(gaussian(rows, columns, random)).orthogonalMatrix;
}

/** Standard normal values, by Box and Muller. */
function gaussian(rows: number, columns: number, random: Random): Matrix {
  const matrix = new Matrix(rows, columns);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      matrix.set(i, j, radius * Math.cos(2 * Math.PI * random()));
    }
  }
  return matrix;
}
