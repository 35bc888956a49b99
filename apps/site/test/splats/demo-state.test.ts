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
  expect(stateOfQuery({}, preferences)).toEqual({ state: standard, problems: [] });
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
  expect(stateOfQuery(query, preferences)).toEqual({ state, problems: [] });
});

test("the defaults of numbers are those of the backend", () => {
  const { state } = stateOfQuery({ backend: "wasm" }, preferences);
  expect(state).toEqual(defaultState({ backend: "wasm", layout: "panels" }));
  expect(state.capacity).toBeLessThan(standard.capacity);
});

test("values that cannot be used are replaced, with a word about each", () => {
  const query = {
    backend: "cuda",
    layout: "3d",
    ellipses: "1",
    size: "",
    splats: "-4",
    steps: "1e9",
    scale: "-1",
  };
  const { state, problems } = stateOfQuery(query, preferences);
  expect(state).toEqual(standard);
  expect(problems).toHaveLength(7);
  for (const name of Object.keys(query))
    expect(problems.join("\n")).toContain(`a value of ${name} that`);
});

test("rates, layout and ellipses do not end a training", () => {
  const changed = { ...standard, layout: "slider", ellipses: true } as const;
  expect(isSameTraining(standard, { ...changed, rates: { ...standard.rates, color: 1 } })).toBe(
    true,
  );
  for (const other of [{ size: 99 }, { steps: 99 }, { capacity: 99 }, { backend: "wasm" }] as const)
    expect(isSameTraining(standard, { ...standard, ...other })).toBe(false);
});
