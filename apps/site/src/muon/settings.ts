import { backendNames, type BackendName } from "../backends/browser-backends.js";
import { QueryReader, type ReadQuery } from "../url-state/query-reader.js";

export const gradientKinds = ["spectrum", "few-directions", "rare-features", "random"] as const;

export type GradientKind = (typeof gradientKinds)[number];

/** What is pictured. */
export interface MuonSettings {
  readonly kind: GradientKind;
  readonly rows: number;
  readonly columns: number;
  /** Largest singular value of the gradient over its smallest, where the kind has such a number. */
  readonly condition: number;
  /** Root mean square of the noise of one step's gradient, relative to that of the gradient. */
  readonly noise: number;
  readonly seed: number;
  /** Number of gradients that the momentum has seen. */
  readonly steps: number;
  readonly iterations: number;
  readonly polynomials: "fixed" | "polar-express";
  readonly momentum: number;
  readonly backend: BackendName;
}

export const defaultSettings: MuonSettings = {
  kind: "spectrum",
  rows: 24,
  columns: 16,
  condition: 1000,
  noise: 0,
  seed: 1,
  steps: 1,
  iterations: 5,
  polynomials: "fixed",
  momentum: 0.95,
  backend: "cpu-js",
};

/** Least and greatest values. */
export const ranges = {
  rows: [2, 32],
  columns: [2, 32],
  condition: [1, 100_000],
  noise: [0, 1],
  seed: [1, 999],
  steps: [1, 50],
  iterations: [0, 10],
  momentum: [0, 0.99],
} as const;

/** Settings from a query string. What is missing or cannot be used has its default. */
export function settingsFromQuery(
  query: Readonly<Record<string, string>>,
): ReadQuery<MuonSettings> {
  const reader = new QueryReader(query);
  const number = (name: keyof typeof ranges): number => {
    const [min, max] = ranges[name];
    return reader.number(name, defaultSettings[name], min, max);
  };
  const integer = (name: keyof typeof ranges): number => {
    const [min, max] = ranges[name];
    return reader.integer(name, defaultSettings[name], min, max);
  };
  const { kind, polynomials, backend } = defaultSettings;
  const state: MuonSettings = {
    kind: reader.choice("kind", kind, gradientKinds),
    rows: integer("rows"),
    columns: integer("columns"),
    condition: number("condition"),
    noise: number("noise"),
    seed: integer("seed"),
    steps: integer("steps"),
    iterations: integer("iterations"),
    polynomials: reader.choice("polynomials", polynomials, ["fixed", "polar-express"]),
    momentum: number("momentum"),
    backend: reader.choice("backend", backend, backendNames),
  };
  return { state, problems: reader.problems };
}

/** The query of settings: those that differ from the defaults. */
export function queryOf(settings: MuonSettings): Record<string, string> {
  const names = Object.keys(defaultSettings) as (keyof MuonSettings)[];
  return Object.fromEntries(
    names
      .filter((name) => settings[name] !== defaultSettings[name])
      .map((name) => [name, String(settings[name])]),
  );
}
