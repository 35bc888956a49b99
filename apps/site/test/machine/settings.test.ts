import { expect, test } from "vitest";
import { queryOf, settingsFromQuery } from "../../src/machine/settings.js";

test("settings survive the address, and defaults are left out", () => {
  expect(queryOf({ without: [], extent: "quick" })).toEqual({});
  const settings = { without: ["wasm", "webgpu"], extent: "full" } as const;
  expect(queryOf(settings)).toEqual({ without: "wasm,webgpu", extent: "full" });
  expect(settingsFromQuery({ without: "wasm,webgpu", extent: "full" })).toEqual({
    state: settings,
    problems: [],
  });
});

test("what does not exist is ignored, with a word about it", () => {
  expect(settingsFromQuery({ without: "cuda,wasm", extent: "endless" })).toEqual({
    state: { without: ["wasm"], extent: "quick" },
    problems: [
      "The address has a value of without that cannot be used: cuda",
      "The address has a value of extent that cannot be used: endless",
    ],
  });
});
