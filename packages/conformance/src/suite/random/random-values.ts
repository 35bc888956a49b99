import type { Random } from "./random.js";

/** A range of magnitudes, as exponents of ten. */
type Profile = readonly [least: number, greatest: number];

const ordinary: Profile = [-3, 1];
const wide: Profile = [-12, 6];
const tiny: Profile = [-45, -28];
const small: Profile = [-20, -12];
const huge: Profile = [8, 18];
const enormous: Profile = [18, 38];

/** Values of a parameter before its first step. */
export function randomParameter(length: number, random: Random): Float32Array {
  const profile = random.chance(0.7) ? ordinary : random.pick([wide, tiny, huge]);
  return fill(length, random, profile);
}

/** A gradient: ordinary values, zeros, subnormals, and values whose squares overflow or vanish. */
export function randomGradient(length: number, random: Random): Float32Array {
  const profile = random.chance(0.5)
    ? ordinary
    : random.chance(0.9)
      ? random.pick([wide, small, tiny, huge])
      : enormous;
  return fill(length, random, profile);
}

function fill(length: number, random: Random, [least, greatest]: Profile): Float32Array {
  const sparse = random.chance(0.2) ? 0.6 : 0.05;
  return Float32Array.from({ length }, () =>
    random.chance(sparse) ? (random.chance(0.5) ? 0 : -0) : random.magnitude(least, greatest),
  );
}

/** A shape with any rank and at most this many elements. */
export function randomShape(maxSize: number, random: Random): readonly number[] {
  const rank = random.pick([0, 1, 1, 1, 2, 2, 3]);
  const shape: number[] = [];
  let left = maxSize;
  for (let i = 0; i < rank; i += 1) {
    const length = random.integer(1, Math.max(1, left));
    shape.push(length);
    left = Math.floor(left / length);
  }
  return shape;
}
