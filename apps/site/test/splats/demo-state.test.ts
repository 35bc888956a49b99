import { expect, test } from "vitest";
import {
  defaultState,
  isSameTraining,
  queryOfState,
  stateOfQuery,
  type DemoState,
} from "../../src/splats/demo-state.js";

const preferences = { backend: "webgpu", layout: "panels" } as const;
const standard = defaultState(preferences);

test("the default is an empty query", () => {
  expect(stateOfQuery({}, preferences)).toEqual(standard);
  expect(Object.values(queryOfState(standard, preferences)).filter(Boolean)).toEqual([]);
});

test("a state survives the query string", () => {
  const state: DemoState = {
    ...defaultState({ backend: "wasm", layout: "slider" }),
    capacity: 300,
    steps: 250,
    size: 96,
    rates: { ...standard.rates, opacity: 0.01, position: 0 },
    ellipses: true,
  };
  const query = queryOfState(state, preferences);
  expect(query).toEqual({
    backend: "wasm",
    splats: "300",
    steps: "250",
    size: "96",
    opacity: "0.01",
    position: "0",
    layout: "slider",
    ellipses: "yes",
  });
  expect(stateOfQuery(query, preferences)).toEqual(state);
});

test("the defaults of numbers are those of the backend", () => {
  const state = stateOfQuery({ backend: "wasm" }, preferences);
  expect(state).toEqual(defaultState({ backend: "wasm", layout: "panels" }));
  expect(state.capacity).toBeLessThan(standard.capacity);
});

test("values that are not valid are replaced, and numbers put into their ranges", () => {
  const query = { backend: "cuda", layout: "3d", ellipses: "1", splats: "many", steps: "1e9" };
  expect(stateOfQuery(query, preferences)).toEqual({ ...standard, steps: 5000 });
  expect(stateOfQuery({ splats: "-4", scale: "-1" }, preferences)).toEqual({
    ...standard,
    capacity: 50,
    rates: { ...standard.rates, scale: 0 },
  });
});

test("rates, layout and ellipses do not end a training", () => {
  const changed = { ...standard, layout: "slider", ellipses: true } as const;
  expect(isSameTraining(standard, { ...changed, rates: { ...standard.rates, color: 1 } })).toBe(
    true,
  );
  for (const other of [{ size: 99 }, { steps: 99 }, { capacity: 99 }, { backend: "wasm" }] as const)
    expect(isSameTraining(standard, { ...standard, ...other })).toBe(false);
});
