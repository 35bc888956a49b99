import { pixelsPerDigit, type Digits, type DigitSet } from "@gradstep/digits";
import { readDigits } from "@gradstep/digits/read";

/** Every twentieth of the digits that the demo trains on, and of those that are held out: 400 and 100. */
export function fewDigits(): Digits {
  const { training, heldOut } = readDigits();
  return { training: fewOf(training), heldOut: fewOf(heldOut) };
}

function fewOf({ count, pixels, labels }: DigitSet): DigitSet {
  const indices = Array.from({ length: count / 20 }, (_, index) => index * 20);
  const picked = new Float32Array(indices.length * pixelsPerDigit);
  const digit = (index: number): Float32Array =>
    pixels.subarray(index * pixelsPerDigit, (index + 1) * pixelsPerDigit);
  indices.forEach((from, to) => picked.set(digit(from), to * pixelsPerDigit));
  return { count: indices.length, pixels: picked, labels: labels.filter((_, i) => i % 20 === 0) };
}
