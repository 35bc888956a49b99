import type { Tensor } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { columnsOf } from "../../backend/dimensions.js";
import { isTensor } from "../../backend/is-tensor.js";
import { GradstepError, show } from "../../errors.js";
import { notLive, withoutValues } from "../../backend/tensor-errors.js";
import { arrayTypeOf, type Precision } from "../../language/precision.js";
import { isGradientArray, sharedMemory } from "../parameters/gradient-memory.js";
import { overlaps } from "../parameters/parameter-checks.js";
import { rowCount } from "../rows/row-checks.js";

/**
 * A gradient that is 0 except in some rows, such as that of an embedding. Rows are counted along the first dimension of the
 * parameter.
 */
export interface SparseGradient {
  /** Indices of rows, in any order. The values of an index that occurs several times are summed in this order. */
  readonly indices: Uint32Array | Int32Array | Tensor;
  /** The gradients of these rows, one row after the other. */
  readonly values: Values | Tensor;
}

export function isSparseGradient(gradient: unknown): gradient is SparseGradient {
  try {
    return (
      gradient !== null &&
      typeof gradient === "object" &&
      // Tensors have it, and most gradients are tensors or arrays: the fast tests come first.
      (gradient as Partial<Tensor>).backend === undefined &&
      !ArrayBuffer.isView(gradient) &&
      "indices" in gradient &&
      "values" in gradient
    );
  } catch {
    // A proxy that was revoked.
    return false;
  }
}

/** The number of indices. */
export function indexCount({ indices }: SparseGradient): number {
  return "length" in indices ? indices.length : indices.size;
}

/**
 * Checks a sparse gradient against its parameter. Indices in tensors of a GPU are not inspected.
 *
 * @throws {GradstepError} `INVALID_GRADIENT`, `LENGTH_MISMATCH`, `INVALID_SHAPE`, `OVERLAPPING_MEMORY`, `INVALID_MEMORY`,
 * `DISPOSED`, `UNSUPPORTED`
 */
export function checkSparseGradient(
  name: string,
  gradient: SparseGradient,
  parameter: Tensor,
): void {
  if (parameter.freed) throw notLive(`Parameter "${name}"`, parameter);
  const { memory } = parameter;
  if (memory.byteLength === 0) throw withoutValues(`Parameter "${name}"`);
  const rows = rowCount(name, parameter);
  const { indices } = gradient;
  checkIndices(name, indices, parameter, rows);
  checkValues(name, gradient, parameter);
  const own = ArrayBuffer.isView(indices) ? indices : indices.memory;
  if (overlaps(own, memory)) throw sharedMemory(`The indices of gradient "${name}" share`);
}

function checkIndices(name: string, indices: unknown, { backend }: Tensor, rows: number): void {
  if (isTensor(indices)) {
    if (indices.backend !== backend || indices.layout?.dtype !== "u32")
      throw notIndices(name, indices);
    if (indices.freed) throw notLive(`The tensor of indices of gradient "${name}"`, indices);
    return;
  }
  if (!ArrayBuffer.isView(indices)) throw notIndices(name, indices);
  const array = indices as Uint32Array | Int32Array;
  if (!["Uint32Array", "Int32Array"].includes(array[Symbol.toStringTag]))
    throw notIndices(name, indices);
  for (let i = 0; i < array.length; i += 1) {
    if (array[i] >= 0 && array[i] < rows) continue;
    throw new GradstepError(
      `indices[${i}] of gradient "${name}" is ${array[i]}; expected a row from 0 to ${rows - 1}.`,
      { code: "INVALID_GRADIENT" },
    );
  }
}

function checkValues(name: string, gradient: SparseGradient, parameter: Tensor): void {
  const { backend, memory } = parameter;
  const { indices, values }: { readonly indices: unknown; readonly values: unknown } = gradient;
  const count = indexCount(gradient);
  const columns = columnsOf(parameter);
  const isArray = ArrayBuffer.isView(values);
  if (isArray && isTensor(indices)) {
    throw new GradstepError(
      `Gradient "${name}" has indices in a tensor and values in an array; expected a tensor of values, too. Write them to backend.tensor([${count}, ${columns}]).`,
      { code: "INVALID_GRADIENT" },
    );
  }
  if (isArray) {
    if (!isGradientArray(values, backend.precision))
      throw notValues(name, values, backend.precision);
  } else if (!isTensor(values) || values.backend !== backend || values.layout !== undefined)
    throw notValues(name, values, backend.precision);
  const length = isArray ? (values as Float32Array).length : values.size;
  const isTransposed =
    !isArray &&
    values.shape.length > 1 &&
    values.shape[0] !== count &&
    values.shape.at(-1) !== columns;
  if (length !== count * columns || isTransposed) {
    throw new GradstepError(
      `The values of gradient "${name}" have shape ${show(isArray ? [length] : values.shape)}; expected [${count}, ${columns}], a row for each index.`,
      { code: "LENGTH_MISMATCH" },
    );
  }
  if (!isArray) {
    if (values.freed) throw notLive(`The tensor of values of gradient "${name}"`, values);
    if (values.memory.byteLength === 0) throw withoutValues(`The values of gradient "${name}"`);
  }
  if (overlaps(isArray ? values : values.memory, memory))
    throw sharedMemory(`Gradient "${name}" shares`);
}

function notIndices(name: string, indices: unknown): GradstepError {
  return new GradstepError(
    `The indices of gradient "${name}" are ${show(indices)}; expected a Uint32Array or an Int32Array, or on a GPU a u32 tensor of the parameter's backend. Convert them with Uint32Array.from(indices).`,
    { code: "INVALID_GRADIENT" },
  );
}

function notValues(name: string, values: unknown, precision: Precision): GradstepError {
  const array = arrayTypeOf(precision).name;
  return new GradstepError(
    `The values of gradient "${name}" are ${show(values)}; expected a ${array}, or a plain tensor of the parameter's backend. Convert them with new ${array}(values).`,
    { code: "INVALID_GRADIENT" },
  );
}
