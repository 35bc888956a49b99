import { expect, test } from "vitest";
import {
  ceilFloat16,
  decodeFloat16,
  encodeFloat16,
  floorFloat16,
  roundFloat16,
} from "../src/layouts/float16.js";

test("every f16 is decoded and encoded to the same bits", () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 0x1_0000; bits += 1) {
    const value = decodeFloat16(bits);
    if (Number.isNaN(value)) continue;
    const results = [roundFloat16, floorFloat16, ceilFloat16].map((round) => round(value));
    const isRight =
      encodeFloat16(value) === bits && results.every((result) => Object.is(result, value));
    if (!isRight) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});

test("values between two f16 are rounded to the nearest, ties to even, or to either side", () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 0x7bff; bits += 1) {
    const [low, high] = [decodeFloat16(bits), decodeFloat16(bits + 1)];
    const middle = (low + high) / 2;
    const got = [
      roundFloat16(middle),
      roundFloat16(middle * (1 - 2 ** -40)),
      roundFloat16(-middle * (1 + 2 ** -40)),
      floorFloat16(middle),
      ceilFloat16(middle),
      floorFloat16(-middle),
      ceilFloat16(-middle),
    ];
    const expected = [bits % 2 === 0 ? low : high, low, -high, low, high, -high, -low];
    if (got.some((value, i) => !Object.is(value, expected[i]))) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});

test("known bits", () => {
  expect(encodeFloat16(1)).toBe(0x3c00);
  expect(encodeFloat16(-2)).toBe(0xc000);
  expect(encodeFloat16(65_504)).toBe(0x7bff);
  expect(encodeFloat16(2 ** -24)).toBe(1);
  expect(encodeFloat16(-0)).toBe(0x8000);
  expect(roundFloat16(65_519)).toBe(65_504);
  expect(roundFloat16(65_520)).toBe(Infinity);
  expect(roundFloat16(-1e-9)).toBe(-0);
});
