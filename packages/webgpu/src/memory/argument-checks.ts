import { GradstepError, show, type RowMove, type RowSources } from "@gradstep/core";
import { isArray, propertyOf } from "@gradstep/core/internal";
import { propertiesOf } from "./buffer-properties.js";

/** @throws {GradstepError} `INVALID_MEMORY` */
export function checkDevice(device: GPUDevice): void {
  // Not `instanceof`: a device may be of another realm, or of a runtime without the global.
  if (typeof device?.queue === "object") return;
  throw new GradstepError(
    `Got ${show(device)} as the device; expected a GPUDevice, such as await adapter.requestDevice().`,
    { code: "INVALID_MEMORY" },
  );
}

/** Checks numbers of values. @throws {GradstepError} `INVALID_SHAPE` */
export function checkSizes(sizes: readonly number[]): void {
  if (isArray(sizes) && sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) return;
  throw new GradstepError(
    `Got ${show(sizes)} to reserve; expected an array of integers, the numbers of values.`,
    { code: "INVALID_SHAPE" },
  );
}

/**
 * Checks that a value is a tensor in a GPUBuffer; it may have been freed.
 * @param what what it is, as the message begins
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkGpuTensor(what: string, value: unknown): void {
  if (!isGpuTensor(value)) throw refused(what, value, "a tensor of a webgpu backend");
}

/**
 * Checks what is moved, and from where.
 * @throws {GradstepError} `INVALID_PARAMETER`
 */
export function checkRemap(moves: readonly RowMove[], sources: RowSources): void {
  if (!isArray(moves)) throw refused("moves", moves, "a list");
  for (const move of moves as readonly unknown[]) {
    checkGpuTensor("A moved tensor", propertyOf(move, "tensor"));
    const initial = propertyOf(move, "initial");
    if (typeof initial !== "number" && !isGpuTensor(initial))
      throw refused("initial", initial, "a number or a tensor of a webgpu backend");
    const reset = propertyOf(move, "reset");
    if (!(["added", "all", "written"] as unknown[]).includes(reset)) checkWords("reset", reset);
  }
  const count = propertyOf(sources, "count");
  if (!Number.isInteger(count) || (count as number) < 1)
    throw refused("count", count, "a positive integer");
  checkWords("indices", propertyOf(sources, "indices"));
  const limit = propertyOf(sources, "limit");
  if (limit !== undefined) checkGpuTensor("limit", limit);
}

function checkWords(what: string, values: unknown): void {
  const isArrayOfWords = ArrayBuffer.isView(values) && "length" in values;
  // For a GPUBuffer, the error of what reads it says how to wrap it.
  const isBuffer = propertiesOf(values) !== undefined;
  if (!isArrayOfWords && !isBuffer && !isGpuTensor(values))
    throw refused(what, values, "a Uint32Array or a u32 tensor of a webgpu backend");
}

/** Not by its memory, which a tensor that was freed refuses to give. */
function isGpuTensor(value: unknown): boolean {
  return typeof propertyOf(value, "checkLive") === "function";
}

function refused(what: string, got: unknown, expected: string): GradstepError {
  return new GradstepError(`${what}: got ${show(got)}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}
