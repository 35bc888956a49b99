import { activate, normOf } from "../activations/activate.js";
import type { ParameterCopy, Tensor } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import { encodeFloat16 } from "../backend/float16.js";
import { columnsOf } from "../backend/dimensions.js";
import type { HostArray } from "../backend/host-array.js";
import type { Rounding } from "../language/precision.js";
import { decodeValue, rowStrideOf, storedValues } from "../backend/stored-values.js";

/** Copies rows of a tensor to the first rows of an array without gaps. */
export function gatherRows(from: Tensor, rows: Uint32Array, count: number, to: Values): void {
  const stored = storedValues(from);
  const stride = rowStrideOf(from);
  const columns = columnsOf(from);
  for (let i = 0, k = 0; i < count; i += 1) {
    const start = rows[i] * stride;
    for (let j = start; j < start + columns; j += 1, k += 1) to[k] = stored[j];
  }
}

/** Copies rows of an array without gaps, from `fromRows`, to rows of a tensor of the same type. */
export function scatterRows(
  from: Values,
  fromRows: Uint32Array,
  to: Tensor,
  rows: Uint32Array,
  count: number,
): void {
  const stored = storedValues(to);
  const stride = rowStrideOf(to);
  const columns = columnsOf(to);
  for (let i = 0; i < count; i += 1) {
    const start = rows[i] * stride;
    const shift = fromRows[i] * columns - start;
    for (let j = start; j < start + columns; j += 1) stored[j] = from[j + shift];
  }
}

/**
 * Decodes rows of a gradient to rows of an array without gaps.
 * @param columns values per row
 */
export function decodeRows(
  from: Tensor,
  fromRows: Uint32Array,
  to: Values,
  rows: Uint32Array,
  count: number,
  columns: number,
): void {
  const stored = storedValues(from);
  const { dtype = "f32", scale = 1 } = from.layout ?? {};
  // Without gaps, the shape of a gradient need not be that of its parameter.
  const hasGaps = rowStrideOf(from) !== columnsOf(from);
  const stride = hasGaps ? rowStrideOf(from) : columns;
  for (let i = 0; i < count; i += 1) {
    const start = rows[i] * columns;
    const shift = fromRows[i] * stride - start;
    for (let j = start; j < start + columns; j += 1)
      to[j] = decodeValue(dtype, stored[j + shift], scale);
  }
}

/**
 * Fills rows of a copy.
 * @param values of the parameter, with the distance of its rows
 */
export function fillCopyRows(
  { target, activation }: ParameterCopy,
  values: HostArray,
  stride: number,
  valueRows: Uint32Array,
  rows: Uint32Array,
  count: number,
  round: Rounding,
): void {
  const stored = storedValues(target);
  const targetStride = rowStrideOf(target);
  const columns = columnsOf(target);
  const isHalf = target.layout?.dtype === "f16";
  for (let i = 0; i < count; i += 1) {
    const from = valueRows[i] * stride;
    const start = rows[i] * targetStride;
    const norm = normOf(activation, values, from, columns);
    for (let j = 0; j < columns; j += 1) {
      const value = activate(activation, values[from + j], norm, round);
      stored[start + j] = isHalf ? encodeFloat16(value) : value;
    }
  }
}

/** Sets all values of a tensor to 0. */
export function clearValues(tensor: Tensor): void {
  const stored = storedValues(tensor);
  const stride = rowStrideOf(tensor);
  const columns = columnsOf(tensor);
  if (stride === columns) {
    stored.fill(0, 0, tensor.size);
    return;
  }
  const end = (tensor.shape[0] ?? 1) * stride;
  for (let start = 0; start < end; start += stride)
    for (let j = start; j < start + columns; j += 1) stored[j] = 0;
}
