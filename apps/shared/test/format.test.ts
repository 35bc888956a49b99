import { expect, test } from "vitest";
import { count, speedupText, threeDigits } from "../src/format.js";

test("three digits, or all before the point", () => {
  const values = [0.000_031_24, 0.0312, 0.9996, 3.4, 9.996, 12.34, 125, 999.7, 1234.5, 54_321];
  expect(values.map(threeDigits)).toEqual([
    "0.0000312",
    "0.0312",
    "1.00",
    "3.40",
    "10.0",
    "12.3",
    "125",
    "1,000",
    "1,235",
    "54,321",
  ]);
  expect([0, Number.NaN, Infinity].map(threeDigits)).toEqual(["0.00", "NaN", "∞"]);
});

test("counts have separators and a noun in the right number", () => {
  expect([count(109_386), count(1, "step"), count(2000, "step")]).toEqual([
    "109,386",
    "1 step",
    "2,000 steps",
  ]);
});

test("a speedup is a number of times", () => {
  expect([0.0031, 0.5, 31.42, 1234].map(speedupText)).toEqual([
    "0.00310×",
    "0.500×",
    "31.4×",
    "1,234×",
  ]);
});
