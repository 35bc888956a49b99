/** The page's query string as a record. */
export function readUrlState(): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(location.search));
}

/**
 * Replaces the query string, without a new entry of the history. Values that are undefined are left out. At most one
 * replacement per animation frame, since browsers limit their number.
 */
export function writeUrlState(state: Readonly<Record<string, string | undefined>>): void {
  pending ??= requestAnimationFrame(flush);
  latest = state;
}

let pending: number | undefined;
let latest: Readonly<Record<string, string | undefined>> = {};

function flush(): void {
  pending = undefined;
  const given = Object.entries(latest).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const query = new URLSearchParams(given).toString();
  history.replaceState(
    history.state,
    "",
    `${location.pathname}${query && `?${query}`}${location.hash}`,
  );
}
