import type { Variant } from "@gradstep/core";
import type { Random } from "./random.js";
import type { RowCase } from "./row-fixture.js";

/** Positive scalars, as a step has them: one in eight is 0. */
export function scalarsOf(variant: Variant, random: Random): Float64Array {
  return Float64Array.from(variant.scalars, () => (random.below(8) === 0 ? 0 : random.unit()));
}

/** A tensor of any size, layout and mask. @param most rows */
export function randomCase(random: Random, scalars: Float64Array, most = 40): RowCase {
  const of = <T>(...all: readonly T[]): T => all[random.below(all.length)];
  return {
    rows: 1 + random.below(most),
    columns: 1 + random.below(9),
    gradient: of("plain", "strided", "f16", "f16"),
    mask: of("none", "array", "tensor", "strided"),
    density: of(0, 0.1, 0.5, 0.9, 1),
    unselectedRows: of("keep", "decay", "zero"),
    mirror: of("none", "contiguous", "padded"),
    scalars,
  };
}
