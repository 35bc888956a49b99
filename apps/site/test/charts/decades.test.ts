import { expect, test } from "vitest";
import { shownTicks } from "../../src/charts/decades.js";

/** What uPlot draws by itself: 1 to 9 times each power of ten. */
const ticksOf = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, decade) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => Number(`${digit}e${from + decade}`)),
  ).flat();

const shown = (from: number, to: number): (number | null)[] =>
  shownTicks(ticksOf(from, to), 10 ** from, 10 ** to).filter((tick) => tick !== null);

test("over two decades all ticks are shown", () => {
  expect(shown(-2, 0)).toEqual(ticksOf(-2, 0));
});

test("over four decades powers of ten", () => {
  expect(shown(-3, 1)).toEqual([1e-3, 1e-2, 0.1, 1]);
});

test("over eleven decades every second of them", () => {
  expect(shown(-9, 2)).toEqual([1e-8, 1e-6, 1e-4, 1e-2, 1]);
});
