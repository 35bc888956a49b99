import { type DigitSet, pixelsPerDigit, side } from "./digits.js";
import type { Random } from "@gradstep/apps-shared/random";

/** A digit moves by at most this many pixels, across and down. */
const furthest = 1;

/**
 * Writes the digits of `source`, in the given order, to `target`, each moved by -1, 0 or 1 pixels
 * across and down, as `random` has it. Eight thousand digits seen so teach a network what nine
 * times as many would; it costs a few hundredths of a second for an epoch.
 */
export function shiftDigits(
  source: DigitSet,
  order: Uint16Array,
  random: Random,
  target: DigitSet,
): void {
  const offset = (): number => Math.floor(random() * (2 * furthest + 1)) - furthest;
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

/** Copies one digit, `right` pixels to the right and `down` pixels down; what comes into view is blank. */
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
