import { backendNames, type BackendName } from "../backends/browser-backends.js";

export const extents = ["quick", "full"] as const;

/** How much is checked and measured. */
export type ExtentName = (typeof extents)[number];

/** What the page checks and measures. */
export interface MachineSettings {
  /** Backends that are left out. */
  readonly without: readonly BackendName[];
  readonly extent: ExtentName;
}

/** Settings from a query string. Names that do not exist are ignored. */
export function settingsFromQuery(query: Readonly<Record<string, string>>): MachineSettings {
  const without = (query["without"] ?? "").split(",");
  return {
    without: backendNames.filter((name) => without.includes(name)),
    extent: query["extent"] === "full" ? "full" : "quick",
  };
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
