import { seededRandom } from "@gradstep/apps-shared/random";
import { describe, expect, test } from "vitest";
import { shiftDigit, shiftDigits } from "../src/data/augmentation.js";
import { pixelsPerDigit, side, type DigitSet } from "../src/data/digit-set.js";
import { shuffle } from "../src/data/shuffle.js";

function set(count: number): DigitSet {
  return {
    count,
    pixels: new Float32Array(count * pixelsPerDigit),
    labels: new Uint8Array(count),
  };
}

/** Digits with one pixel of ink each, in the middle. */
function dots(count: number): DigitSet {
  const digits = set(count);
  for (let index = 0; index < count; index++) {
    digits.pixels[index * pixelsPerDigit + 14 * side + 14] = index + 1;
    digits.labels[index] = index % 10;
  }
  return digits;
}

describe("a shift", () => {
  test.each([
    [0, 0],
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
    [1, -1],
  ])("by %i across and %i down moves every pixel", (right, down) => {
    const source = Float32Array.from({ length: pixelsPerDigit }, (_, pixel) => pixel + 1);
    const target = new Float32Array(pixelsPerDigit).fill(-1);
    shiftDigit(source, 0, target, 0, right, down);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const [fromRow, fromColumn] = [row - down, column - right];
        const inside = fromRow >= 0 && fromRow < side && fromColumn >= 0 && fromColumn < side;
        const expected = inside ? source[fromRow * side + fromColumn] : 0;
        expect(target[row * side + column]).toBe(expected);
      }
    }
  });

  test("does not touch the neighbouring digits", () => {
    const target = new Float32Array(3 * pixelsPerDigit).fill(9);
    shiftDigit(new Float32Array(pixelsPerDigit).fill(1), 0, target, pixelsPerDigit, 1, 1);
    expect(target.subarray(0, pixelsPerDigit).every((ink) => ink === 9)).toBe(true);
    expect(target.subarray(2 * pixelsPerDigit).every((ink) => ink === 9)).toBe(true);
  });
});

describe("shifted digits", () => {
  const source = dots(90);
  const order = Uint16Array.from({ length: 90 }, (_, index) => 89 - index);
  const shifted = (seed: number): DigitSet => {
    const target = set(90);
    shiftDigits(source, order, seededRandom(seed), target);
    return target;
  };

  test("depend on the seed alone", () => {
    expect(shifted(5)).toEqual(shifted(5));
    expect(shifted(5).pixels).not.toEqual(shifted(6).pixels);
  });

  test("keep the given order and their labels, and move by at most one pixel", () => {
    const { pixels, labels } = shifted(5);
    const places = new Set<number>();
    order.forEach((from, to) => {
      const place = pixels
        .subarray(to * pixelsPerDigit, (to + 1) * pixelsPerDigit)
        .indexOf(from + 1);
      expect(labels[to]).toBe(source.labels[from]);
      expect([13, 14, 15]).toContain(place % side);
      expect([13, 14, 15]).toContain(Math.floor(place / side));
      places.add(place);
    });
    expect(places.size).toBe(9);
  });
});

test("shuffle keeps every number and moves most of them", () => {
  const order = Uint16Array.from({ length: 1000 }, (_, index) => index);
  shuffle(order, seededRandom(3));
  expect(Array.from(order).sort((one, other) => one - other)).toEqual(
    Array.from({ length: 1000 }, (_, index) => index),
  );
  expect(order.filter((value, index) => value === index).length).toBeLessThan(10);
});
