import { expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { decodeFloat16, encodeFloat16 } from "../src/backend/float16.js";

/** All finite values that are not negative, in ascending order. */
const values = Array.from({ length: 0x7c00 }, (_, bits) => {
  const exponent = bits >> 10;
  const fraction = bits & 0x3ff;
  return exponent === 0 ? fraction / 2 ** 24 : (1024 + fraction) * 2 ** (exponent - 25);
});

test("every f16 is decoded, and encoded as it was", () => {
  const all = [...values, ...values.map((value) => -value)];
  const encoded = values.map((_, bits) => bits);
  const allBits = [...encoded, ...encoded.map((bits) => bits | 0x8000)];
  expect(allBits.map(decodeFloat16)).toEqual(all);
  expect(all.map(encodeFloat16)).toEqual(allBits);
  expect(decodeFloat16(0x7c00)).toBe(Infinity);
  expect(decodeFloat16(0xfc00)).toBe(-Infinity);
  expect(decodeFloat16(0x7e01)).toBeNaN();
});

slowTest("values between two become the nearest, of two equally near ones the even one", () => {
  const next = (value: number, by: number): number => {
    const float = Float32Array.of(value);
    new Uint32Array(float.buffer)[0] += by;
    return float[0];
  };
  const lower = values.slice(0, -1).map((_, bits) => bits);
  const half = (bits: number): number => (values[bits] + values[bits + 1]) / 2;
  expect(lower.map((bits) => encodeFloat16(half(bits)))).toEqual(
    lower.map((bits) => bits + (bits % 2)),
  );
  expect(lower.map((bits) => encodeFloat16(next(half(bits), -1)))).toEqual(lower);
  expect(lower.map((bits) => encodeFloat16(next(half(bits), 1)))).toEqual(
    lower.map((bits) => bits + 1),
  );
  expect(lower.map((bits) => encodeFloat16(-next(half(bits), 1)))).toEqual(
    lower.map((bits) => (bits + 1) | 0x8000),
  );
});

test("values beyond the range become the largest; NaN stays NaN", () => {
  for (const value of [65504, 65519, 65520, 65536, 1e30, Infinity]) {
    expect(encodeFloat16(value)).toBe(0x7bff);
    expect(encodeFloat16(-value)).toBe(0xfbff);
  }
  expect(decodeFloat16(encodeFloat16(Number.NaN))).toBeNaN();
  expect(encodeFloat16(1e-30)).toBe(0);
  expect(encodeFloat16(-1e-30)).toBe(0x8000);
});
