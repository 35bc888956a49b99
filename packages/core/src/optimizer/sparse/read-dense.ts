import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { columnsOf } from "../../backend/dimensions.js";
import { allocateValues } from "../../backend/host-tensor.js";
import { DistinctValues } from "./distinct-values.js";
import type { SparseGradient } from "./sparse-gradient.js";
import { sumRows } from "./sum-rows.js";

/** Reads a sparse gradient, and returns the gradient of all rows. Indices that are too large are left out. */
export async function readDense(
  { indices, values }: SparseGradient,
  parameter: Tensor,
): Promise<Values> {
  const [rows, given] = await Promise.all([
    "length" in indices ? indices : indices.read(),
    ArrayBuffer.isView(values) ? values : values.read(),
  ]);
  const distinct = new DistinctValues();
  distinct.find(Uint32Array.from(rows));
  const dense = allocateValues(parameter.backend.precision, parameter.shape);
  const columns = columnsOf(parameter);
  sumRows(given, distinct.places, rows.length, columns, dense, distinct.values);
  return dense;
}
