import { expect, test } from "vitest";
import { mostProbableDigit } from "../../src/train/most-probable-digit.js";
import { Drawing, drawingSize } from "../../src/train/drawing.js";

/** Mean coordinates of the ink. */
function centerOf(pixels: Float32Array) {
  let [x, y, sum] = [0, 0, 0];
  pixels.forEach((value, index) => {
    x += value * (index % 28);
    y += value * Math.floor(index / 28);
    sum += value;
  });
  return { x: x / sum, y: y / sum };
}

/** Number of rows and columns with ink. */
function extentOf(pixels: Float32Array) {
  const [rows, columns] = [new Set<number>(), new Set<number>()];
  pixels.forEach((value, index) => {
    if (value < 0.05) return;
    rows.add(Math.floor(index / 28));
    columns.add(index % 28);
  });
  return { rows: rows.size, columns: columns.size };
}

test("a drawing has its center of mass in the middle and is 20 pixels high, wherever and however large it was drawn", () => {
  for (const [left, top, size] of [
    [10, 10, 80],
    [60, 50, 30],
    [5, 60, 40],
  ]) {
    const drawing = new Drawing();
    drawing.line(left, top, left + size / 2, top);
    drawing.line(left + size / 2, top, left + size / 4, top + size);
    const pixels = drawing.pixels();
    const { x, y } = centerOf(pixels);
    expect(x).toBeCloseTo(13.5, 0);
    expect(y).toBeCloseTo(13.5, 0);
    const { rows, columns } = extentOf(pixels);
    expect(rows).toBeGreaterThanOrEqual(19);
    expect(rows).toBeLessThanOrEqual(22);
    expect(columns).toBeLessThan(rows);
    expect(pixels.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(Math.max(...pixels)).toBeGreaterThan(0.9);
  }
});

test("lines are as wide everywhere, and end at the edge of the paper", () => {
  const drawing = new Drawing();
  drawing.line(-20, 56, drawingSize + 20, 56);
  for (const column of [0, 50, drawingSize - 1]) {
    let ink = 0;
    for (let row = 0; row < drawingSize; row += 1) ink += drawing.ink[row * drawingSize + column];
    expect(ink).toBeCloseTo(12, 0);
  }
});

test("an empty drawing has no ink, also after it was cleared", () => {
  const drawing = new Drawing();
  expect(drawing.isEmpty).toBe(true);
  drawing.line(10, 10, 20, 20);
  expect(drawing.isEmpty).toBe(false);
  drawing.clear();
  expect(drawing.isEmpty).toBe(true);
  expect(drawing.pixels().every((value) => value === 0)).toBe(true);
});

test("the most probable digit of a network; of one that has diverged, none", () => {
  expect(mostProbableDigit(Float32Array.of(0.1, 0, 0.2, 0.7))).toBe(3);
  expect(mostProbableDigit(Float32Array.of(0.5, 0.5))).toBe(0);
  expect(mostProbableDigit(new Float32Array(10).fill(NaN))).toBeUndefined();
});
