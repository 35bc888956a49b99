import { expect, test } from "vitest";
import { contourMap, levelsOf } from "../../src/playground/contour-map.js";
import { parseFormula } from "../../src/playground/formula.js";
import { gradientNoise } from "../../src/playground/gradient-noise.js";

const extent = { xMin: -2, xMax: 2, yMin: -1, yMax: 3 };

test("the contours of a cone are circles around its tip", () => {
  const { valueAt } = parseFormula("sqrt(x^2 + (y - 1)^2)");
  const map = contourMap({ ...parseFormula("x"), valueAt }, extent, 160, 160);
  const inner = map.filter(({ value }) => value > 0.2 && value < 1.8);
  expect(inner.length).toBeGreaterThan(5);
  for (const { value, points, ringEnds } of inner) {
    // The hole around the tip; the outer ring follows the border.
    const onBorder = (x: number, y: number): boolean =>
      Math.max(Math.abs(x), Math.abs(y - 1)) > 1.98;
    let hole = 0;
    for (let i = 0; i < ringEnds.at(-1)!; i += 1) {
      const [x, y] = [points[2 * i], points[2 * i + 1]];
      if (onBorder(x, y)) continue;
      hole += 1;
      expect(Math.abs(Math.hypot(x, y - 1) - value)).toBeLessThan(0.01);
    }
    expect(hole).toBeGreaterThan(10);
  }
});

test("the first level covers the whole map", () => {
  const [first] = contourMap(parseFormula("x^2 + y^2"), extent, 40, 40);
  expect(first.ringEnds).toHaveLength(1);
  const xs = first.points.filter((_, i) => i % 2 === 0);
  expect([Math.min(...xs), Math.max(...xs)]).toEqual([-2, 2]);
});

test("levels ascend, start at the least value, and are denser near to it", () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => i);
  const levels = levelsOf(values, 10);
  expect(levels[0]).toBe(0);
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
  expect(levels[1] - levels[0]).toBeLessThan(levels[9] - levels[8]);
});

test("a constant function and one without finite values have a map", () => {
  expect(contourMap(parseFormula("3"), extent, 10, 10)).toHaveLength(1);
  expect(contourMap(parseFormula("log(-1 - x^2)"), extent, 10, 10)).toHaveLength(1);
});

test("noise is standard normal, and the same for a seed", () => {
  const noise = gradientNoise(7, 20_000);
  const mean = noise.reduce((sum, one) => sum + one, 0) / noise.length;
  const square = noise.reduce((sum, one) => sum + one * one, 0) / noise.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(square - 1)).toBeLessThan(0.02);
  expect(gradientNoise(7, 100)).toEqual(noise.subarray(0, 200));
  expect(gradientNoise(8, 100)).not.toEqual(noise.subarray(0, 200));
});
