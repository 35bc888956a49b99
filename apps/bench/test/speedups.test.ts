import { expect, test } from "vitest";
import { speedupSpread, speedupsOver } from "../src/speedups.js";

test("a speedup is the other's time divided by the own one, for every other", () => {
  const times = new Map([
    ["ours", 2],
    ["theirs", 8],
    ["best", 1],
  ]);
  expect(speedupsOver("ours", times)).toEqual({ theirs: 4, best: 0.5 });
});

test("the spread of a speedup is that of its rounds", () => {
  const rival = [10, 20, 30, 40, 50];
  // Ratios 10, 4, 3, 2 and 1; medians 30 and 10.
  expect(speedupSpread([1, 5, 10, 20, 50], rival)).toEqual({ speedup: 3, quartiles: [2, 4] });
});
