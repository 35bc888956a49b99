import { expect, test } from "vitest";
import { fitsUrl } from "../../src/url-state/url-state.js";

test("a state fits an address up to 8,000 encoded characters", () => {
  expect(fitsUrl({ rule: "x".repeat(7995), other: undefined })).toBe(true);
  expect(fitsUrl({ rule: "x".repeat(7996) })).toBe(false);
  // A newline is three characters there.
  expect(fitsUrl({ rule: "\n".repeat(2665) })).toBe(true);
  expect(fitsUrl({ rule: "\n".repeat(2666) })).toBe(false);
});
