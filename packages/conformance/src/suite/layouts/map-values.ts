/** A table with the same names. */
export function mapValues<A, B>(
  table: Readonly<Record<string, A>>,
  of: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(table).map(([name, one]) => [name, of(one, name)]));
}
