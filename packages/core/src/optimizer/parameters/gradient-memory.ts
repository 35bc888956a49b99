import { GradstepError } from "../../errors.js";
import type { Precision } from "../../language/precision.js";

/** Whether an array can hold the values of a gradient: f32, or f64 for parameters of that precision. */
export function isGradientArray(array: ArrayBufferView, precision: Precision): boolean {
  const kind = (array as Float32Array)[Symbol.toStringTag];
  return kind === "Float32Array" || (kind === "Float64Array" && precision === "f64");
}

/** The error for a gradient in the memory of its parameter. @param what `Gradient "w" shares`, as the message begins */
export function sharedMemory(what: string): GradstepError {
  return new GradstepError(
    `${what} memory with its parameter; expected other memory. Pass a copy.`,
    { code: "OVERLAPPING_MEMORY" },
  );
}
