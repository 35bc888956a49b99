/** The largest error, relative to the magnitudes. */
export function errorOf(
  got: ArrayLike<number>,
  expected: readonly number[],
  magnitudes: readonly number[] = expected.map(Math.abs),
): number {
  const errors = expected.map((value, i) =>
    got[i] === value ? 0 : Math.abs(got[i] - value) / magnitudes[i],
  );
  return got.length === expected.length ? Math.max(...errors) : Infinity;
}
