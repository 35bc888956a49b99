/** The speedups of one contender over each of the others, by name: their time divided by its own. */
export function speedupsOver(
  own: string,
  times: ReadonlyMap<string, number>,
): Record<string, number> {
  const rivals = [...times].filter(([name]) => name !== own);
  return Object.fromEntries(rivals.map(([name, time]) => [name, time / times.get(own)!]));
}
