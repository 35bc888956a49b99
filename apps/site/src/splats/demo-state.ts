import { byAttribute, type ByAttribute } from "./splat-rows.js";
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
  capacity: { min: 50, max: 8000 },
  steps: { min: 50, max: 5000 },
} as const;

/** Rates from this fraction of the default to its reciprocal times the default. */
export const rateRange = 0.05;

/** A training without a GPU is small. */
export const defaultState = (backend: SplatsBackend): DemoState => ({
  backend,
  capacity: backend === "webgpu" ? 2000 : 500,
  steps: backend === "webgpu" ? 1000 : 400,
  rates: defaultRates,
  layout: "panels",
  ellipses: false,
});

type Query = Readonly<Record<string, string | undefined>>;

/** What differs from the defaults. */
export function stateToQuery(state: DemoState, preferred: SplatsBackend): Query {
  const standard = defaultState(state.backend);
  const unless = (isDefault: boolean, value: unknown): string | undefined =>
    isDefault ? undefined : String(value);
  return {
    backend: unless(state.backend === preferred, state.backend),
    splats: unless(state.capacity === standard.capacity, state.capacity),
    steps: unless(state.steps === standard.steps, state.steps),
    ...byAttribute((name) => unless(state.rates[name] === standard.rates[name], state.rates[name])),
    layout: unless(state.layout === standard.layout, state.layout),
    ellipses: unless(!state.ellipses, "yes"),
  };
}

/** @param preferred the backend if the query has none, or one that does not exist */
export function stateOfQuery(query: Query, preferred: SplatsBackend): DemoState {
  const { backend } = query;
  const standard = defaultState(backend === "webgpu" || backend === "wasm" ? backend : preferred);
  const number = (
    text: string | undefined,
    otherwise: number,
    min: number,
    max: number,
  ): number => {
    const value = Number(text);
    return text === undefined || !Number.isFinite(value)
      ? otherwise
      : Math.min(max, Math.max(min, value));
  };
  const integer = (text: string | undefined, name: keyof typeof limits): number => {
    const { min, max } = limits[name];
    return Math.round(number(text, standard[name], min, max));
  };
  return {
    ...standard,
    capacity: integer(query["splats"], "capacity"),
    steps: integer(query["steps"], "steps"),
    rates: rates(query, number),
    layout: query["layout"] === "slider" ? "slider" : "panels",
    ellipses: query["ellipses"] === "yes",
  };
}

function rates(
  query: Query,
  number: (text: string | undefined, otherwise: number, min: number, max: number) => number,
): ByAttribute<number> {
  return byAttribute((name) =>
    number(query[name], defaultRates[name], 0, defaultRates[name] / rateRange),
  );
}

/** Whether two states can share a training that is under way. */
export const isSameTraining = (one: DemoState, other: DemoState): boolean =>
  one.backend === other.backend && one.capacity === other.capacity && one.steps === other.steps;
