import type { Tensor, Values } from "../../backend/backend.js";
import { RowSums } from "./row-sums.js";
import type { SparseGradient } from "./sparse-gradient.js";

/** Reads a sparse gradient, and returns the gradient of all rows. Indices that are too large are left out. */
export async function readDense(
  { indices, values }: SparseGradient,
  { backend, shape, size }: Tensor,
): Promise<Values> {
  const [rows, given] = await Promise.all([
    "length" in indices ? indices : indices.read(),
    ArrayBuffer.isView(values) ? values : values.read(),
  ]);
  const columns = size / shape[0];
  const sums = new RowSums();
  sums.find(Uint32Array.from(rows));
  const summed = given.slice();
  sums.sum(given, columns, summed);
  const dense = backend.precision === "f64" ? new Float64Array(size) : new Float32Array(size);
  sums.rows.subarray(0, sums.count).forEach((row, i) => {
    if (row < shape[0]) dense.set(summed.subarray(i * columns, (i + 1) * columns), row * columns);
  });
  return dense;
}
