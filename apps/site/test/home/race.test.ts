import { expect, test } from "vitest";
import { racePaths } from "../../src/home/race-paths.js";
import { race, runnerNames, starts } from "../../src/home/race.js";
import { recalled, record } from "../../src/home/recorded-races.js";

/** The index of the minimum at a point; −1 if there is none. */
const minimumAt = (x: number, y: number): number =>
  race.minima.findIndex(([left, top]) => Math.hypot(x - left, y - top) < 0.4);

test.each(starts)(
  "from (%s, %s), all optimizers find a minimum, and not all the same",
  async (...start) => {
    const paths = await racePaths(start);
    expect(paths).toHaveLength(runnerNames.length);
    const found = paths.map(({ points }) => {
      expect(points).toHaveLength(2 * (race.steps + 1));
      return minimumAt(...(points.slice(-2) as unknown as [number, number]));
    });
    expect(found).not.toContain(-1);
    expect(new Set(found).size).toBeGreaterThan(1);
  },
);

test("a recorded path is the path, to a thousandth", async () => {
  const [path] = await racePaths(starts[0]);
  const again = recalled(record(path)).points;
  expect(again).toHaveLength(path.points.length);
  const errors = Array.from(again, (one, i) => Math.abs(one - path.points[i]));
  expect(Math.max(...errors)).toBeLessThan(0.00101);
});

test("record and recalled, by hand", () => {
  const points = Float32Array.of(1, -2, 1.5, -2.5, 1.5, 0);
  expect(record({ points })).toEqual([500, -1000, 250, -250, 0, 1250]);
  expect(recalled([500, -1000, 250, -250, 0, 1250]).points).toEqual(points);
});
