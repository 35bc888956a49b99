import type { Update } from "../backend/backend.js";
import { rowValuesOf } from "../backend/stored-values.js";

/** Whether an update has to be made plain, so that a kernel for plain updates can run it. */
export function isPacked(update: Update): boolean {
  return isPackedInAllRuns(update) || isPackedInThisRun(update);
}

/** The same, because of what the update has in all runs. */
export function isPackedInAllRuns(update: Update): boolean {
  return (
    update.parameter.layout !== undefined ||
    update.copies.length > 0 ||
    update.gradientActivation !== undefined ||
    update.slots.some(({ layout }) => layout !== undefined)
  );
}

/** The same, because of what changes from run to run. */
export function isPackedInThisRun({ gradient, clearsGradient, mask }: Update): boolean {
  return (
    clearsGradient ||
    gradient.layout !== undefined ||
    (mask !== undefined && !ArrayBuffer.isView(mask))
  );
}

/** Whether the values that a kernel reads and writes are plain, and the gradient is used as it is. */
export function hasPlainValues({
  parameter,
  gradient,
  gradientActivation,
  slots,
}: Update): boolean {
  return (
    parameter.layout === undefined &&
    gradient.layout === undefined &&
    gradientActivation === undefined &&
    slots.every(({ layout }) => layout === undefined)
  );
}

/** The mask of an update as an array. */
export function maskOf({ mask }: Update): Uint32Array | undefined {
  return mask && rowValuesOf(mask);
}

/** An update whose tensors are replaced from run to run. */
export type MutableUpdate = { -readonly [K in keyof Update]: Update[K] };
