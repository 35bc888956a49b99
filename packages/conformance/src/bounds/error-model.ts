/** Unit roundoff of f32: half the distance from 1 to the next number. */
export const unitRoundoff: number = 2 ** -24;

/** Results of at least this magnitude round to infinity in f32. */
export const overflowThreshold: number = 2 ** 128 - 2 ** 103;

/**
 * The largest errors of an implementation's operations. Relative errors refer to the exact result; `abs`, `neg`,
 * `sign`, `isFinite`, `min`, `max`, comparisons and choices are exact everywhere.
 */
export interface ErrorModel {
  readonly name: "roundToNearest" | "wgsl";
  /** Relative error of `+ − ×`. A result that f32 can hold is exact. */
  readonly arithmetic: number;
  /** Relative error of `÷`. */
  readonly division: number;
  /** Relative error of `√`. */
  readonly root: number;
  /** Additional absolute error of a product, a quotient or a store among subnormals. */
  readonly underflow: number;
  /** Subnormal operands and results may be replaced by 0. */
  readonly flushes: boolean;
  /** NaN and infinity behave as IEEE 754 says; otherwise they may lead to any result. */
  readonly keepsNonFinite: boolean;
  /** x ÷ 1 is x. */
  readonly divisionByOneIsExact: boolean;
  /** `division` applies to divisors between these magnitudes only; elsewhere any result is allowed. */
  readonly divisorRange: readonly [least: number, greatest: number];
  /** Relative error of `exp(x)`: `constant + slope · |x|`. */
  readonly exponential: { readonly constant: number; readonly slope: number };
  /** Error of `log(x)`: absolute for x between 1/2 and 2, elsewhere relative. */
  readonly logarithm: { readonly absolute: number; readonly relative: number };
  /** Activations are computed in f64 and rounded once; otherwise each of their operations is rounded. */
  readonly roundsActivationsOnce: boolean;
  /** A value is stored as the nearest f16; otherwise as either neighbor. */
  readonly roundsFloat16ToNearest: boolean;
}

/**
 * IEEE 754 in f32, rounding to nearest, and everything that is more accurate: f64 temporaries with one rounding at the
 * store included, since no step of them is further from exact.
 */
export const roundToNearest: ErrorModel = {
  name: "roundToNearest",
  arithmetic: unitRoundoff,
  division: unitRoundoff,
  root: unitRoundoff,
  underflow: 2 ** -150,
  flushes: false,
  keepsNonFinite: true,
  divisionByOneIsExact: true,
  divisorRange: [0, Infinity],
  exponential: { constant: unitRoundoff, slope: 0 },
  logarithm: { absolute: unitRoundoff, relative: unitRoundoff },
  roundsActivationsOnce: true,
  roundsFloat16ToNearest: true,
};

/**
 * The largest errors that the WebGPU Shading Language permits (its section "Floating point accuracy"): `+ − ×` to either
 * neighbor, `÷` 2.5 ULP, `√` as 1/inverseSqrt (2 ULP, then a division), `exp(x)` 3 + 2|x| ULP, `log(x)` 2⁻²¹ between 1/2 and
 * 2, elsewhere 3 ULP. One ULP is at most 2u of the value. A fused
 * `a·b + c` has one rounding in place of two and is inside. √0 is taken to be 0.
 */
export const wgsl: ErrorModel = {
  name: "wgsl",
  arithmetic: 2 * unitRoundoff,
  division: 5 * unitRoundoff,
  root: 9 * unitRoundoff,
  underflow: 2 ** -149,
  flushes: true,
  keepsNonFinite: false,
  divisionByOneIsExact: false,
  divisorRange: [2 ** -126, 2 ** 126],
  exponential: { constant: 6 * unitRoundoff, slope: 4 * unitRoundoff },
  logarithm: { absolute: 2 ** -21, relative: 6 * unitRoundoff },
  roundsActivationsOnce: false,
  roundsFloat16ToNearest: false,
};
