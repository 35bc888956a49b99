import { expect, test } from "vitest";
import {
  fromQuery,
  initialState,
  raceOf,
  toQuery,
  withSurface,
  type PlaygroundState,
} from "../../src/playground/playground-state.js";
import { parseRunners } from "../../src/playground/runner-text.js";

/** As a browser keeps it. */
function throughQuery(state: PlaygroundState): ReturnType<typeof fromQuery> {
  const given = Object.entries(toQuery(state)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return fromQuery(Object.fromEntries(new URLSearchParams(new URLSearchParams(given).toString())));
}

test("the first view has no query", () => {
  expect(Object.values(toQuery(initialState)).every((value) => value === undefined)).toBe(true);
  expect(fromQuery({})).toEqual({ state: initialState, problems: [] });
});

test.each<[string, PlaygroundState]>([
  ["another surface", withSurface(initialState, "noisy")],
  [
    "everything else",
    {
      surface: "own",
      formula: "x^2 + y*2",
      extent: { xMin: -1, xMax: 2, yMin: 0, yMax: 0.5 },
      start: [0.25, 1e-7],
      steps: 17,
      noise: 0.5,
      seed: 3,
      backend: "wasm",
      runners: parseRunners("my-rule(learningRate:0.1)~ema@webgpu"),
      rules: { "my-rule": "hyperparameters:\n  learningRate = 0.1\nperElement:\n  u = g + 1\n" },
    },
  ],
  ["no runner", { ...initialState, runners: [] }],
  ["a start of its own", { ...withSurface(initialState, "valley"), start: [1, 1] }],
])("%s is the same after a way through the query string", (_, state) => {
  expect(throughQuery(state)).toEqual({ state, problems: [] });
});

test("a surface has its own start, noise and formula", () => {
  const race = raceOf(withSurface(initialState, "noisy"));
  expect(race).toMatchObject({ start: [-3.2, 2.4], noise: 4, formula: "x^2/2 + 2*y^2" });
});

test.each([
  ["surface", "moon"],
  ["start", "1"],
  ["start", "1,x"],
  ["start", ","],
  ["start", "1e39,0"],
  ["steps", "0"],
  ["steps", "1e9"],
  ["noise", "-1"],
  ["noise", "1e39"],
  ["backend", "gpu"],
  ["runners", "adam("],
  ["extent", "1,0,0,1"],
  ["extent", "-1e308,1e308,-1,1"],
  ["extent", "0,1e-320,0,1"],
  ["extent", "0,1,1,1.0000000000000002"],
  ["formula", "x +"],
])("%s=%s is as at first, with a word about it", (name, text) => {
  const { state, problems } = fromQuery({ [name]: text });
  expect(state).toEqual(initialState);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
});
