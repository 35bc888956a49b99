import { GradstepError, show } from "@gradstep/core";
import {
  floatValues,
  type Dtype,
  type SafetensorsEntry,
  type TypedArray,
} from "../../safetensors/index.js";
import { arrayDtype } from "../../safetensors/dtypes.js";

/** A tensor of a model that the optimizer does not update. */
export interface OtherTensor {
  readonly shape: readonly number[];
  /** Floats for F16 and BF16; otherwise the array that holds the dtype. */
  readonly values: TypedArray;
  /** Left out where the array says it: F32 for a Float32Array. */
  readonly dtype?: Dtype | undefined;
}

export function otherTensorOf(entry: SafetensorsEntry): OtherTensor {
  const { dtype, shape, data } = entry;
  const isHalf = dtype === "F16" || dtype === "BF16";
  const values = isHalf ? floatValues(entry) : data;
  return { shape, values, ...(arrayDtype(values) !== dtype && { dtype }) };
}

/** @throws {GradstepError} `INVALID_PARAMETER` for what has no values */
export function entryOfOther(name: string, tensor: OtherTensor): SafetensorsEntry {
  const { shape, values, dtype = arrayDtype(values) } = tensor ?? {};
  if (Array.isArray(shape) && dtype !== undefined) return { dtype, shape, data: values };
  throw new GradstepError(
    `writeTorch: otherTensors has ${show(tensor)} as ${show(name)}; expected { shape, values }, with values as a typed array.`,
    { code: "INVALID_PARAMETER" },
  );
}
