import { backendNames, type BackendName } from "../backends/browser-backends.js";
import { parseFormula } from "./formula.js";
import { numbersOf, QueryReader, type ReadQuery } from "../url-state/query-reader.js";
import { formatRunners, parseRunners } from "./runner-text.js";
import type { OwnRules, Race, Runner } from "./runner.js";
import { surfaces, type Extent, type Point, type Surface } from "./surfaces.js";

/** Everything that a view shows, as it is kept in the query string. */
export interface PlaygroundState {
  /** The name of a surface, or `own`. */
  readonly surface: string;
  /** The formula of the surface `own`. */
  readonly formula: string;
  /** The part of the plane of the surface `own`. */
  readonly extent: Extent;
  readonly start: Point;
  readonly steps: number;
  /** The standard deviation of the gradients' noise. */
  readonly noise: number;
  readonly seed: number;
  readonly backend: BackendName;
  readonly runners: readonly Runner[];
  /** The rules that the visitor has written. */
  readonly rules: OwnRules;
}

/** The name of the surface whose formula is the visitor's own. */
export const ownSurface = "own";

/** The largest number of steps of a race. */
export const maxSteps = 5000;

/** What a visitor sees first. */
export const initialState: PlaygroundState = {
  surface: "rosenbrock",
  formula: "x^2 + 3*y^2 + sin(3*x)*cos(2*y)",
  extent: { xMin: -3, xMax: 3, yMin: -3, yMax: 3 },
  start: [-1.2, 1],
  steps: 300,
  noise: 0,
  seed: 1,
  backend: "cpu-js",
  runners: parseRunners(
    "sgd(learningRate:0.0006,momentum:0.9);rmsprop(learningRate:0.01);adam(learningRate:0.08);lion(learningRate:0.02)",
  ),
  rules: {},
};

/** The surface of a state. */
export function surfaceOf({ surface, formula, extent }: PlaygroundState): Surface {
  return (
    surfaces.find(({ name }) => name === surface) ?? {
      name: ownSurface,
      title: "Your own",
      formula,
      extent,
      start: [(3 * extent.xMin + extent.xMax) / 4, (3 * extent.yMax + extent.yMin) / 4],
      minima: [],
      noise: 0,
      description: "A function of x and y that you write.",
    }
  );
}

/** What all runners of a state run on. */
export function raceOf(state: PlaygroundState): Race {
  const { start, steps, noise, seed } = state;
  return { formula: surfaceOf(state).formula, start, steps, noise, seed };
}

/** The state after another surface is chosen: its start and noise. */
export function withSurface(state: PlaygroundState, name: string): PlaygroundState {
  const changed = { ...state, surface: name };
  const { start, noise } = surfaceOf(changed);
  return { ...changed, start, noise };
}

const rulePrefix = "rule.";

/** A state as a record for the query string; what is as at first is left out. */
export function toQuery(state: PlaygroundState): Readonly<Record<string, string | undefined>> {
  const usual = withSurface(initialState, state.surface);
  const isOwn = state.surface === ownSurface;
  const { extent } = state;
  const unless = (text: string, initial: string): string | undefined =>
    text === initial ? undefined : text;
  const rules = Object.entries(state.rules).map(([name, text]) => [rulePrefix + name, text]);
  return {
    surface: unless(state.surface, initialState.surface),
    formula: isOwn ? state.formula : undefined,
    extent: isOwn ? [extent.xMin, extent.xMax, extent.yMin, extent.yMax].join(",") : undefined,
    start: unless(state.start.join(","), usual.start.join(",")),
    steps: unless(String(state.steps), String(initialState.steps)),
    noise: unless(String(state.noise), String(usual.noise)),
    seed: unless(String(state.seed), String(initialState.seed)),
    backend: unless(state.backend, initialState.backend),
    runners: unless(formatRunners(state.runners), formatRunners(initialState.runners)),
    ...(Object.fromEntries(rules) as Record<string, string>),
  };
}

/** The state of a query string. What cannot be read is as at first. */
export function fromQuery(query: Readonly<Record<string, string>>): ReadQuery<PlaygroundState> {
  const reader = new QueryReader(query);
  const surface = reader.choice("surface", initialState.surface, [
    ownSurface,
    ...surfaces.map(({ name }) => name),
  ]);
  const own = {
    ...initialState,
    surface,
    formula: reader.read("formula", initialState.formula, (text) => parseFormula(text).text),
    extent: reader.read("extent", initialState.extent, extentOf),
  };
  const usual = withSurface(own, surface);
  const rules = Object.entries(query)
    .filter(([name]) => name.startsWith(rulePrefix))
    .map(([name, text]) => [name.slice(rulePrefix.length), text] as const)
    .filter(([name]) => /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name));
  const state = {
    ...usual,
    start: reader.read("start", usual.start, (text): Point | undefined => {
      const [x, y] = numbersOf(text, 2) ?? [];
      const isFinite = [x, y].every((one) => Number.isFinite(Math.fround(one)));
      return isFinite ? [x, y] : undefined;
    }),
    steps: reader.integer("steps", initialState.steps, 1, maxSteps),
    noise: reader.number("noise", usual.noise, 0, maxF32),
    seed: reader.integer("seed", initialState.seed, 0, 2 ** 31),
    backend: reader.choice("backend", initialState.backend, backendNames),
    runners: reader.read("runners", initialState.runners, parseRunners),
    rules: Object.fromEntries(rules),
  };
  return { state, problems: reader.problems };
}

/** The largest number of f32. */
const maxF32 = (2 - 2 ** -23) * 2 ** 127;

function extentOf(text: string): Extent | undefined {
  const [xMin, xMax, yMin, yMax] = numbersOf(text, 4) ?? [];
  const extent = { xMin, xMax, yMin, yMax };
  return isExtent(extent) ? extent : undefined;
}

/** The largest coordinate of a map, with which sums are finite in f32. */
const maxCoordinate = 1e30;
/** A side of a map is at least this fraction of its coordinates, so that f32 tells its points apart. */
const minFraction = 1e-4;

/** Whether a part of the plane can be a map. */
export function isExtent({ xMin, xMax, yMin, yMax }: Extent): boolean {
  const isSide = (min: number, max: number): boolean => {
    const largest = Math.max(Math.abs(min), Math.abs(max));
    return largest <= maxCoordinate && max - min >= Math.max(1e-30, minFraction * largest);
  };
  return isSide(xMin, xMax) && isSide(yMin, yMax);
}
