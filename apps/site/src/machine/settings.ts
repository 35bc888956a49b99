import { backendNames, type BackendName } from "../backends/browser-backends.js";
import { QueryReader, type ReadQuery } from "../url-state/query-reader.js";

export const extents = ["quick", "full"] as const;

/** How much is checked and measured. */
export type ExtentName = (typeof extents)[number];

/** What the page checks and measures. */
export interface MachineSettings {
  /** Backends that are left out. */
  readonly without: readonly BackendName[];
  readonly extent: ExtentName;
}

/** Settings from a query string. Backends that do not exist are not left out either. */
export function settingsFromQuery(
  query: Readonly<Record<string, string>>,
): ReadQuery<MachineSettings> {
  const reader = new QueryReader(query);
  const names = reader.read<readonly string[]>("without", [], (text) => text.split(","));
  for (const name of names)
    if (!backendNames.some((one) => one === name)) reader.report("without", name);
  const state: MachineSettings = {
    without: backendNames.filter((name) => names.includes(name)),
    extent: reader.choice("extent", "quick", extents),
  };
  return { state, problems: reader.problems };
}

/** The query string of settings. What is the default is left out. */
export function queryOf({
  without,
  extent,
}: MachineSettings): Readonly<Record<string, string | undefined>> {
  return {
    without: without.length > 0 ? without.join(",") : undefined,
    extent: extent === "quick" ? undefined : extent,
  };
}
