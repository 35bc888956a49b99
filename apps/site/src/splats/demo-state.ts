import { QueryReader, type ReadQuery } from "../url-state/query-reader.js";
import { byAttribute, type AttributeName } from "./splat-rows.js";
import type { SplatsBackend } from "./splats.worker.js";
import { defaultRates, type TrainingSettings } from "./training-settings.js";

/** What the visitor has chosen. */
export interface DemoState extends TrainingSettings {
  readonly backend: SplatsBackend;
  /** Panels next to each other, or the fit over the picture with a divider to move. */
  readonly layout: "panels" | "slider";
  readonly ellipses: boolean;
}

/** Ranges of the numbers. */
export const limits = {
  size: { min: 32, max: 512 },
  capacity: { min: 50, max: 8000 },
  steps: { min: 50, max: 5000 },
} as const;

/** A slider of a rate goes from a twentieth to 20 times the default; the rate itself may also be 0. */
export const rateLimits = (name: AttributeName) => ({
  min: defaultRates[name] / 20,
  max: defaultRates[name] * 20,
});

/** What a page begins with: it depends on the browser and on the width of its window. */
export type Preferences = Pick<DemoState, "backend" | "layout">;

/** A training without a GPU is small. */
export const defaultState = ({ backend, layout }: Preferences): DemoState => ({
  backend,
  size: backend === "webgpu" ? 256 : 128,
  capacity: backend === "webgpu" ? 2000 : 500,
  steps: backend === "webgpu" ? 1000 : 400,
  rates: defaultRates,
  layout,
  ellipses: false,
});

type Query = Readonly<Record<string, string | undefined>>;

/** What differs from the defaults. */
export function queryOfState(state: DemoState, preferences: Preferences): Query {
  const { backend, layout } = preferences;
  const standard = defaultState({ backend: state.backend, layout });
  const unless = (isDefault: boolean, value: unknown): string | undefined =>
    isDefault ? undefined : String(value);
  return {
    backend: unless(state.backend === backend, state.backend),
    size: unless(state.size === standard.size, state.size),
    splats: unless(state.capacity === standard.capacity, state.capacity),
    steps: unless(state.steps === standard.steps, state.steps),
    ...byAttribute((name) => unless(state.rates[name] === standard.rates[name], state.rates[name])),
    layout: unless(state.layout === layout, state.layout),
    ellipses: unless(!state.ellipses, "yes"),
  };
}

/** The state of a query string. Where it has no value, or none that can be used, the default. */
export function stateOfQuery(query: Query, preferences: Preferences): ReadQuery<DemoState> {
  const reader = new QueryReader(query);
  const standard = defaultState({
    backend: reader.choice("backend", preferences.backend, ["webgpu", "wasm"]),
    layout: reader.choice("layout", preferences.layout, ["panels", "slider"]),
  });
  const integer = (name: string, otherwise: number, { min, max }: Limits): number =>
    reader.integer(name, otherwise, min, max);
  const state: DemoState = {
    ...standard,
    size: integer("size", standard.size, limits.size),
    capacity: integer("splats", standard.capacity, limits.capacity),
    steps: integer("steps", standard.steps, limits.steps),
    rates: byAttribute((name) =>
      reader.number(name, standard.rates[name], 0, rateLimits(name).max),
    ),
    ellipses: reader.choice("ellipses", "no", ["yes", "no"]) === "yes",
  };
  return { state, problems: reader.problems };
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

const clamp = (value: number, { min, max }: Limits): number => Math.min(max, Math.max(min, value));

/** The state with numbers in their ranges. */
export function inRange(state: DemoState): DemoState {
  return {
    ...state,
    size: Math.round(clamp(state.size, limits.size)),
    capacity: Math.round(clamp(state.capacity, limits.capacity)),
    steps: Math.round(clamp(state.steps, limits.steps)),
    rates: byAttribute((name) => clamp(state.rates[name], { min: 0, max: rateLimits(name).max })),
  };
}

/** Whether a training of one state can go on with the other. */
export const isSameTraining = (one: DemoState, other: DemoState): boolean =>
  one.backend === other.backend &&
  one.size === other.size &&
  one.capacity === other.capacity &&
  one.steps === other.steps;
