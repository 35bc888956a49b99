import type { Values } from "@gradstep/core";

/** Values in the type that others have, f32 or f64. */
export function inTypeOf(other: Values, values: Values): Values {
  if (other instanceof Float64Array)
    return values instanceof Float64Array ? values : Float64Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
