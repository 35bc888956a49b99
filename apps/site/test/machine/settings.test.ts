import { expect, test } from "vitest";
import { queryOf, settingsFromQuery } from "../../src/machine/settings.js";

test("settings survive the address, and defaults are left out", () => {
  expect(queryOf({ without: [], extent: "quick" })).toEqual({});
  const settings = { without: ["wasm", "webgpu"], extent: "full" } as const;
  expect(queryOf(settings)).toEqual({ without: "wasm,webgpu", extent: "full" });
  expect(settingsFromQuery({ without: "wasm,webgpu", extent: "full" })).toEqual(settings);
});

test("what does not exist is ignored", () => {
  expect(settingsFromQuery({ without: "cuda,wasm", extent: "endless" })).toEqual({
    without: ["wasm"],
    extent: "quick",
  });
});
