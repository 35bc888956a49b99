import type { NamedSettings } from "./comparisons.js";
import { QueryReader, type ReadQuery } from "../url-state/query-reader.js";
import { settingsFromUrl, settingsToUrl } from "./url-settings.js";

type Query = Readonly<Record<string, string | undefined>>;

/** The most runs that an address has. */
export const mostRuns = 24;
const longestName = 80;

/** Runs as one value of a query string; undefined if there are none. Of each: its name, and what differs from the defaults. */
export function runsToUrl(runs: readonly NamedSettings[]): string | undefined {
  if (runs.length === 0) return undefined;
  return JSON.stringify(
    runs.slice(0, mostRuns).map(({ name, settings }) => ({ name, ...settingsToUrl(settings) })),
  );
}

/** The runs of a query string. What cannot be used is left out. */
export function runsFromUrl(query: Query): ReadQuery<readonly NamedSettings[]> {
  const reader = new QueryReader(query);
  const all = reader.read<readonly unknown[]>("runs", [], (text) => {
    const runs: unknown = JSON.parse(text);
    return Array.isArray(runs) ? runs : undefined;
  });
  const problems: string[] = [];
  const runs = all.slice(0, mostRuns).flatMap((run) => {
    const { name = "", ...state } = textsOf(run);
    if (name.trim() === "") {
      reader.report("runs", JSON.stringify(run));
      return [];
    }
    const read = settingsFromUrl(state);
    problems.push(...read.problems.map((problem) => `Run ${name}: ${problem}`));
    return [{ name: name.slice(0, longestName), settings: read.state }];
  });
  if (all.length > mostRuns)
    problems.push(`The address has ${all.length} runs; only the first ${mostRuns} are offered.`);
  return { state: runs, problems: [...reader.problems, ...problems] };
}

/** The entries of an object that are texts. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/** The runs of an address that a list does not have: of which none has the same settings. */
export function missingRuns(
  runs: readonly NamedSettings[],
  list: readonly Pick<NamedSettings, "settings">[],
): readonly NamedSettings[] {
  const keyOf = ({ settings }: Pick<NamedSettings, "settings">): string =>
    JSON.stringify(Object.entries(settingsToUrl(settings)).sort(byName));
  const known = new Set(list.map(keyOf));
  return runs.filter((run) => !known.has(keyOf(run)));
}

/** Settings may have been made in any order. */
const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;
