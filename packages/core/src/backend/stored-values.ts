import type { RowValues, Tensor } from "./backend.js";
import type { Layout } from "./memory.js";
import { columnsOf } from "./dimensions.js";
import { decodeFloat16 } from "./float16.js";
import type { HostArray } from "./host-array.js";

/** A tensor with a layout whose values JavaScript can access. Not a class, so that bundles for GPUs contain none. */
export interface StoredTensor extends Tensor {
  /**
   * The array as it is, from the first value on. Values of other tensors can lie between the rows.
   * @throws {GradstepError} `DISPOSED`
   */
  stored(): HostArray;
  /** The values of a tensor of u32 without gaps: the live ones, or a copy that is valid until the next call. */
  rowValues(): Uint32Array;
}

export function isStoredTensor(tensor: object): tensor is StoredTensor {
  return "stored" in tensor;
}

/** Whether JavaScript can access the values of a tensor now. */
export function isInHostMemory(tensor: Tensor): boolean {
  return tensor.view !== undefined || isStoredTensor(tensor);
}

/** The values of a tensor in host memory, from the first one on. @throws {GradstepError} `DISPOSED`, `INVALID_MEMORY` */
export function storedValues(tensor: Tensor): HostArray {
  return tensor.layout === undefined ? tensor.view!() : (tensor as StoredTensor).stored();
}

/** The distance from the first value of a row to that of the next, in values. */
export function rowStrideOf(tensor: Tensor): number {
  return tensor.layout?.rowStride ?? columnsOf(tensor);
}

/** The value that a stored number stands for. In fixed point, the integer and the product are each rounded to f32. */
export function decodeValue(dtype: Layout["dtype"], stored: number, scale: number): number {
  if (dtype === "f16") return decodeFloat16(stored);
  return dtype === "f32" || dtype === "f64" ? stored : Math.fround(Math.fround(stored) * scale);
}

/** A tensor of u32 in host memory as an array; arrays as they are. */
export function rowValuesOf(values: RowValues): Uint32Array {
  return ArrayBuffer.isView(values) ? values : (values as StoredTensor).rowValues();
}
