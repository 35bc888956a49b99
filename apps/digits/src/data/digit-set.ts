/** Width and height of a digit in pixels. */
export const side = 28;
/** Pixels per digit. */
export const pixelsPerDigit: number = side * side;
/** Digits 0 to 9. */
export const classes = 10;

/** Some handwritten digits. */
export interface DigitSet {
  readonly count: number;
  /** `count` × 784 values in [0, 1], row by row from the top left; 1 is ink. */
  readonly pixels: Float32Array;
  /** `count` labels, 0 to 9. */
  readonly labels: Uint8Array;
}

export interface Digits {
  readonly training: DigitSet;
  /** Never trained on, the same digits in every run. */
  readonly heldOut: DigitSet;
}

/** Labels as rows of ten numbers, 1 at the label and 0 elsewhere, into `rows`. */
export function oneHot(
  labels: Uint8Array,
  rows: Float32Array = new Float32Array(labels.length * classes),
): Float32Array {
  rows.fill(0);
  labels.forEach((label, index) => {
    rows[index * classes + label] = 1;
  });
  return rows;
}
