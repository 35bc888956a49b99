import { GradstepError, show } from "../errors.js";
import type { Layout } from "./memory.js";

/** Bytes per value. */
export const bytesPerValue: Readonly<Record<Layout["dtype"], number>> = {
  f64: 8,
  f32: 4,
  u32: 4,
  i32: 4,
  f16: 2,
};

/**
 * Checks the scale of values in fixed point.
 * @throws {GradstepError} `INVALID_MEMORY`
 */
export function checkScale(dtype: Layout["dtype"], scale: unknown): void {
  if (scale === undefined) return;
  const rounded = typeof scale === "number" ? Math.fround(scale) : Number.NaN;
  const isInteger = dtype === "i32" || dtype === "u32";
  if (isInteger && rounded > 0 && Number.isFinite(rounded)) return;
  throw new GradstepError(
    isInteger
      ? `Got scale ${show(scale)}; expected a positive number, by which stored integers are multiplied.`
      : `Got scale ${show(scale)} for values of ${dtype}; expected it for i32 and u32 only.`,
    { code: "INVALID_MEMORY" },
  );
}
