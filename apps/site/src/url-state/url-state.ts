/** The page's query string as a record. */
export function readUrlState(): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(location.search));
}

type UrlState = Readonly<Record<string, string | undefined>>;

/** Servers refuse longer addresses: Node's take 16 kB with all headers. */
const maxLength = 8000;

/** Whether a state is short enough for an address. */
export function fitsUrl(state: UrlState): boolean {
  return queryOf(state).length <= maxLength;
}

/**
 * Replaces the query string, without a new entry of the history. Values that are undefined are left out. At most one
 * replacement per 200 ms, since browsers limit their number, and each takes milliseconds. A state that does not fit is
 * not written.
 */
export function writeUrlState(state: UrlState): void {
  pending ??= setTimeout(flush, 200);
  latest = state;
  ({ pathname: path, search } = location);
}

/** Writes a state as a new entry of the history; the entry before has the state written last. */
export function pushUrlState(state: UrlState): void {
  if (pending !== undefined) {
    clearTimeout(pending);
    flush();
  }
  // As the router of the site does it: going back restores the place on the page.
  history.replaceState({ scrollPosition: scrollY }, "");
  history.pushState({}, "", `${location.pathname}${searchOf(state)}`);
}

let pending: ReturnType<typeof setTimeout> | undefined;
/** The address of the page whose state is `latest`. */
let path = "";
let search = "";
let latest: UrlState = {};

function flush(): void {
  pending = undefined;
  // Another page, or another entry of the history, has been opened since.
  if (location.pathname !== path || location.search !== search || !fitsUrl(latest)) return;
  const next = searchOf(latest);
  if (next === search) return;
  history.replaceState(history.state, "", `${location.pathname}${next}${location.hash}`);
}

/** A state as `location.search`. */
function searchOf(state: UrlState): string {
  const query = queryOf(state);
  return query && `?${query}`;
}

function queryOf(state: UrlState): string {
  const given = Object.entries(state).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new URLSearchParams(given).toString();
}
