/** A picture to fit. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Three values from 0 to 1 per pixel, row by row: red, green and blue, as displays encode them. */
  readonly colors: Float32Array<ArrayBuffer>;
}

/** Peak signal-to-noise ratio in dB, of values between 0 and 1. */
export function psnr(squaredError: number, { colors }: Picture): number {
  return -10 * Math.log10(squaredError / colors.length);
}
