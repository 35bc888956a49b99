import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { decodeDigits, encodeDigits } from "../src/data/digits-file.js";
import { readDigits } from "../src/data/read-digits.js";

test("all digits are the same bits after they were written and read, in less than 2 MB", () => {
  const digits = readDigits();
  const bytes = encodeDigits(digits);
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const decoded = decodeDigits(shifted.subarray(3));
  for (const set of ["training", "heldOut"] as const) {
    expect(decoded[set].count).toBe(digits[set].count);
    expect(decoded[set].labels).toEqual(digits[set].labels);
    // `toEqual` takes a minute for six million values.
    const bytes = [decoded, digits].map((one) => Buffer.from(one[set].pixels.buffer));
    expect(bytes[0].equals(bytes[1])).toBe(true);
  }
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThan(2_000_000);
});

test("a pixel that no byte stands for is refused", () => {
  const none = { count: 0, pixels: new Float32Array(), labels: new Uint8Array() };
  const pixels = new Float32Array(784);
  pixels[3] = 0.5005;
  const one = { count: 1, pixels, labels: Uint8Array.of(0) };
  expect(() => encodeDigits({ training: one, heldOut: none })).toThrow(RangeError);
});
