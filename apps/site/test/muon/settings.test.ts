import { expect, test } from "vitest";
import { defaultSettings, queryOf, settingsFromQuery } from "../../src/muon/settings.js";

test("settings survive the query", () => {
  const settings = {
    ...defaultSettings,
    kind: "random",
    rows: 7,
    momentum: 0.5,
    backend: "wasm",
  } as const;
  expect(settingsFromQuery(queryOf(settings))).toEqual({ state: settings, problems: [] });
  expect(queryOf(defaultSettings)).toEqual({});
});

test("what is out of range has its default, with a word about it", () => {
  const query = {
    kind: "x",
    rows: "1e9",
    columns: "2.5",
    momentum: "",
    steps: "-1",
    backend: "cuda",
  };
  const { state, problems } = settingsFromQuery(query);
  expect(state).toEqual(defaultSettings);
  expect(problems).toHaveLength(6);
  expect(problems[1]).toBe("The address has a value of rows that cannot be used: 1e9");
});
