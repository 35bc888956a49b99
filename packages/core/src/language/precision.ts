/** What numbers are rounded to. */
export type Precision = "f32" | "f64";

/** Rounds a number to a precision: `Math.fround`, or nothing in f64. */
export type Rounding = (value: number) => number;

/** The rounding of f64 numbers to a precision. */
export function roundingTo(precision: Precision): Rounding {
  return precision === "f64" ? (value) => value : Math.fround;
}

/** The type of the arrays whose elements have a precision: they round what is stored in them. */
export function arrayTypeOf(
  precision: Precision,
): Float32ArrayConstructor | Float64ArrayConstructor {
  return precision === "f64" ? Float64Array : Float32Array;
}
