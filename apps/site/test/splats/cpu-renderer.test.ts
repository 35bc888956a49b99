import { expect, test } from "vitest";
import { Renderer } from "../../src/splats/cpu/renderer.js";
import { rowLength } from "../../src/splats/splat-rows.js";
import { randomPicture, randomSplats } from "./random-splats.js";

const count = 30;
const picture = randomPicture(33, 22);
const rows = Float64Array.from(randomSplats(count, picture));

test("gradients are the central differences of half the squared error", () => {
  const renderer = new Renderer(picture);
  const gradients = new Float64Array(rows.length);
  renderer.forward(rows, count);
  renderer.backward(rows, count, picture, gradients);
  const loss = (changed: Float64Array): number => {
    for (let at = 8; at < changed.length; at += rowLength) {
      const length = Math.hypot(changed[at], changed[at + 1]);
      changed[at] /= length;
      changed[at + 1] /= length;
    }
    renderer.forward(changed, count);
    return renderer.squaredError(picture) / 2;
  };
  // So small that no pixel crosses the cutoff of a splat.
  const step = 1e-6;
  const differences = rows.map((value, i) => {
    const at = (to: number): number => {
      const changed = rows.slice();
      changed[i] = to;
      return loss(changed);
    };
    return (at(value + step) - at(value - step)) / (2 * step);
  });
  for (let column = 0; column < rowLength; column += 1) {
    const ofColumn = (values: Float64Array): Float64Array =>
      values.filter((_, i) => i % rowLength === column);
    const [own, exact] = [ofColumn(gradients), ofColumn(differences)];
    const largest = Math.max(...exact.map(Math.abs));
    expect(largest > 0.1).toBe(column < 10);
    own.forEach((value, row) => {
      expect(
        Math.abs(value - exact[row]),
        `row ${row}, column ${column}: ${value} and ${exact[row]}`,
      ).toBeLessThanOrEqual(1e-6 * largest);
    });
  }
});

test("a pixel under one opaque splat has its color, and one that no splat reaches is black", () => {
  const renderer = new Renderer({ width: 8, height: 8 });
  renderer.forward(Float64Array.of(2, 2, 0.5, 0.5, 0.2, 0.4, 0.6, 1, 0.6, 0.8, 0, 0), 1);
  const pixel = (x: number, y: number): Float64Array =>
    renderer.image.subarray(4 * (8 * y + x), 4 * (8 * y + x) + 3);
  // The pixel is half a pixel away in both directions: one standard deviation. The background has a weight, too.
  const part = Math.exp(-1) / (Math.exp(-1) + 1e-3);
  [0.2, 0.4, 0.6].forEach((value, channel) => {
    expect(pixel(1, 1)[channel]).toBeCloseTo(value * part, 6);
  });
  expect([...pixel(6, 6)]).toEqual([0, 0, 0]);
});

test("coverage of all splats adds up to the pixels they reach, and their errors to the squared error there", () => {
  const renderer = new Renderer(picture);
  const statistics = { coverage: new Float64Array(count), error: new Float64Array(count) };
  renderer.forward(rows, count);
  renderer.backward(rows, count, picture, new Float64Array(rows.length), statistics);
  let [pixels, squaredError] = [0, 0];
  for (let pixel = 0; pixel < 33 * 22; pixel += 1) {
    const [red, green, blue, total] = renderer.image.subarray(4 * pixel, 4 * pixel + 4);
    const part = (total - 1e-3) / total;
    pixels += part;
    [red, green, blue].forEach((value, channel) => {
      squaredError += part * (value - picture.colors[3 * pixel + channel]) ** 2;
    });
  }
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  expect(sum(statistics.coverage)).toBeCloseTo(pixels, 8);
  expect(sum(statistics.error)).toBeCloseTo(squaredError, 8);
});
