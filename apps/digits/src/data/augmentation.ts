import { type DigitSet, pixelsPerDigit, side } from "./digit-set.js";
import type { Random } from "@gradstep/apps-shared/random";

/** The largest shift in pixels, horizontally and vertically. */
const maxShift = 1;

/**
 * Writes the digits of `source` to `target` in the given order, each shifted by a random -1, 0 or 1
 * pixels horizontally and vertically. This makes up to nine different images of every digit, for a
 * few hundredths of a second per epoch.
 */
export function shiftDigits(
  source: DigitSet,
  order: Uint16Array,
  random: Random,
  target: DigitSet,
): void {
  const offset = (): number => Math.floor(random() * (2 * maxShift + 1)) - maxShift;
  order.forEach((from, to) => {
    shiftDigit(
      source.pixels,
      from * pixelsPerDigit,
      target.pixels,
      to * pixelsPerDigit,
      offset(),
      offset(),
    );
    target.labels[to] = source.labels[from];
  });
}

/** Copies one digit, shifted `right` pixels to the right and `down` pixels down. Uncovered pixels are blank. */
export function shiftDigit(
  source: Float32Array,
  sourceStart: number,
  target: Float32Array,
  targetStart: number,
  right: number,
  down: number,
): void {
  target.fill(0, targetStart, targetStart + pixelsPerDigit);
  const firstColumn = Math.max(0, -right);
  const lastColumn = Math.min(side, side - right);
  for (let row = Math.max(0, -down); row < Math.min(side, side - down); row++) {
    const start = sourceStart + row * side;
    target.set(
      source.subarray(start + firstColumn, start + lastColumn),
      targetStart + (row + down) * side + firstColumn + right,
    );
  }
}
