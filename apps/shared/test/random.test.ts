import { expect, test } from "vitest";
import { seededRandom } from "../src/random.js";

test("random numbers are those of Mulberry32, from 0 to below 1", () => {
  const random = seededRandom(1);
  const first = Array.from({ length: 3 }, () => Math.round(random() * 1e6) / 1e6);
  expect(first).toEqual([0.627074, 0.002736, 0.527447]);
  const many = Array.from({ length: 10_000 }, random);
  expect(Math.min(...many)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...many)).toBeLessThan(1);
  expect(many.reduce((sum, value) => sum + value, 0) / 10_000).toBeCloseTo(0.5, 1);
});
