import type { NamedSettings } from "./comparisons.js";
import { settingsFromUrl, settingsToUrl } from "./url-settings.js";

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

/** The runs of a query string. What is not valid is left out. */
export function runsFromUrl(text: string | undefined): readonly NamedSettings[] {
  let runs: unknown;
  try {
    runs = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(runs)) return [];
  return runs.slice(0, mostRuns).flatMap((run: unknown) => {
    if (typeof run !== "object" || run === null) return [];
    const texts = Object.entries(run).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    const { name = "", ...state } = Object.fromEntries(texts);
    if (name.trim() === "") return [];
    return [{ name: name.slice(0, longestName), settings: settingsFromUrl(state) }];
  });
}

/** The runs of an address that a list does not have: of which none has the same settings. */
export function missingRuns(
  runs: readonly NamedSettings[],
  list: readonly Pick<NamedSettings, "settings">[],
): readonly NamedSettings[] {
  const keyOf = ({ settings }: Pick<NamedSettings, "settings">): string =>
    JSON.stringify(settingsToUrl(settings));
  const known = new Set(list.map(keyOf));
  return runs.filter((run) => !known.has(keyOf(run)));
}
