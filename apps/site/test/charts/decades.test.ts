import { expect, test } from "vitest";
import { logRange, shownTicks } from "../../src/charts/decades.js";

/** What uPlot draws by itself: 1 to 9 times each power of ten. */
const ticksOf = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, decade) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => Number(`${digit}e${from + decade}`)),
  ).flat();

const shown = (from: number, to: number): (number | null)[] =>
  shownTicks(ticksOf(from, to), 10 ** from, 10 ** to).filter((tick) => tick !== null);

test("over a third of a decade all ticks are shown", () => {
  expect(shownTicks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 0.4, 0.9)).toEqual([
    0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
  ]);
});

test("over one decade and two, those whose texts do not overlap", () => {
  expect(shown(0, 1)).toEqual([1, 2, 3, 5]);
  expect(shown(-2, 0)).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5]);
});

test("over four decades powers of ten", () => {
  expect(shown(-3, 1)).toEqual([1e-3, 1e-2, 0.1, 1]);
});

test("over eleven decades every second of them", () => {
  expect(shown(-9, 2)).toEqual([1e-8, 1e-6, 1e-4, 1e-2, 1]);
});

test.each([
  [1.04, 2.36, [1, 3]],
  [0.96, 2.3, [0.9, 3]],
  [0.099, 1, [0.09, 1]],
  [0.0951, 0.94, [0.09, 1]],
  [9.6, 97, [9, 100]],
  // One value: a decade to each side.
  [0.003, 0.003, [0.0003, 0.03]],
])("values from %d to %d are between numbers of one digit", (min, max, range) => {
  expect(logRange(min, max)).toEqual(range);
});
