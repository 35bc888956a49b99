import type { Variant } from "@gradstep/core";
import type { Random } from "./random.js";
import type { RowCase } from "./row-fixture.js";

/** Random scalars of a step: positive, and one in eight is 0. */
export function scalarsOf(variant: Variant, random: Random): Float64Array {
  return Float64Array.from(variant.scalars, () => (random.below(8) === 0 ? 0 : random.unit()));
}

/** A tensor of random size, layout and mask. */
export function randomCase(random: Random, scalars: Float64Array, maxRows = 40): RowCase {
  const oneOf = <T>(...values: readonly T[]): T => values[random.below(values.length)];
  return {
    rows: 1 + random.below(maxRows),
    columns: 1 + random.below(9),
    gradient: oneOf("plain", "strided", "f16", "f16"),
    mask: oneOf("none", "array", "tensor", "strided"),
    density: oneOf(0, 0.1, 0.5, 0.9, 1),
    unselectedRows: oneOf("keep", "decay", "zero"),
    mirror: oneOf("none", "contiguous", "padded"),
    scalars,
  };
}
