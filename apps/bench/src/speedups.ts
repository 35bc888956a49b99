/** Each other time divided by the own one, by name: 2 over a rival is half its time. */
export function speedupsOver(
  own: string,
  times: ReadonlyMap<string, number>,
): Record<string, number> {
  const rivals = [...times].filter(([name]) => name !== own);
  return Object.fromEntries(rivals.map(([name, time]) => [name, time / times.get(own)!]));
}
