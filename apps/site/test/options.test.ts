import { expect, test } from "vitest";
import { helpText, OptionsError, parseOptions } from "../src/options.mjs";

test("defaults", () => {
  expect(parseOptions([])).toEqual({ port: 4173, open: true, help: false });
});

test("all options", () => {
  expect(parseOptions(["--port", "80", "--no-open", "-h"])).toEqual({
    port: 80,
    open: false,
    help: true,
  });
});

test.each([["--port", "0"], ["--port", "65536"], ["--port", "x"], ["--port"], ["--foo"], ["x"]])(
  "%s %s is refused",
  (...args) => {
    expect(() => parseOptions(args)).toThrow(OptionsError);
  },
);

test("the help fits a terminal", () => {
  expect(
    Math.max(
      ...helpText(60)
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(60);
});
