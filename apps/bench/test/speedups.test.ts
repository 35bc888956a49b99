import { expect, test } from "vitest";
import { speedupsOver } from "../src/speedups.js";

test("a speedup is the other's time divided by the own one, for every other", () => {
  const times = new Map([
    ["ours", 2],
    ["theirs", 8],
    ["best", 1],
  ]);
  expect(speedupsOver("ours", times)).toEqual({ theirs: 4, best: 0.5 });
});
