/** The page's query string as a record. */
export function readUrlState(): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(location.search));
}

/**
 * Replaces the query string, without a new entry of the history. Values that are undefined are left out. At most one
 * replacement per 200 ms, since browsers limit their number, and each takes milliseconds.
 */
export function writeUrlState(state: Readonly<Record<string, string | undefined>>): void {
  pending ??= setTimeout(flush, 200);
  latest = state;
  path = location.pathname;
}

let pending: ReturnType<typeof setTimeout> | undefined;
let path = "";
let latest: Readonly<Record<string, string | undefined>> = {};

function flush(): void {
  pending = undefined;
  // Another page has been opened since.
  if (location.pathname !== path) return;
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
