import type { Update } from "../backend/backend.js";
import { rowValuesOf } from "../backend/stored-values.js";

/** Whether a kernel for plain updates cannot run this one as it is. */
export function isPacked(update: Update): boolean {
  const { parameter, gradient, slots, mask } = update;
  if (
    parameter.layout !== undefined ||
    gradient.layout !== undefined ||
    update.clearsGradient ||
    update.copies.length > 0 ||
    update.gradientActivation !== undefined ||
    (mask !== undefined && !ArrayBuffer.isView(mask))
  )
    return true;
  for (let i = 0; i < slots.length; i += 1) if (slots[i].layout !== undefined) return true;
  return false;
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
