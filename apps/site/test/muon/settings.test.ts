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
  expect(settingsFromQuery(queryOf(settings))).toEqual(settings);
  expect(queryOf(defaultSettings)).toEqual({});
});

test("what is out of range has its default", () => {
  const query = {
    kind: "x",
    rows: "1e9",
    columns: "2.5",
    momentum: "",
    steps: "-1",
    backend: "cuda",
  };
  expect(settingsFromQuery(query)).toEqual(defaultSettings);
});
