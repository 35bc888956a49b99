import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { oneHot, pixelsPerDigit, type DigitSet } from "../src/data/digit-set.js";
import { digitsFolder, readDigits } from "../src/data/read-digits.js";

const digits = readDigits();

function countsOf({ labels }: DigitSet): number[] {
  return Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
}

function picturesOf({ count, pixels }: DigitSet): string[] {
  return Array.from({ length: count }, (_, index) =>
    pixels.slice(index * pixelsPerDigit, (index + 1) * pixelsPerDigit).join(),
  );
}

describe("the digits", () => {
  test("are 8,000 to train on and 2,000 held out", () => {
    expect(digits.training.count).toBe(8000);
    expect(digits.heldOut.count).toBe(2000);
    expect(digits.training.pixels).toHaveLength(8000 * 784);
    expect(digits.heldOut.labels).toHaveLength(2000);
  });

  test("have pixels between 0 and 1", () => {
    for (const { pixels } of [digits.training, digits.heldOut]) {
      expect(pixels.every((ink) => ink >= 0 && ink <= 1)).toBe(true);
    }
    expect(digits.heldOut.pixels.some((ink) => ink === 1)).toBe(true);
  });

  test("share no picture between the two sets", () => {
    const seen = new Set(picturesOf(digits.training));
    expect(seen.size).toBe(8000);
    expect(picturesOf(digits.heldOut).filter((picture) => seen.has(picture))).toEqual([]);
  });

  test("hold out a fifth of every class", () => {
    const [training, heldOut] = [countsOf(digits.training), countsOf(digits.heldOut)];
    heldOut.forEach((count, digit) => {
      expect(count).toBeGreaterThan(150);
      expect(Math.abs(count - (count + training[digit]) / 5)).toBeLessThanOrEqual(1);
    });
  });

  test("are the same in every run, each under its own label", () => {
    expect(countsOf(digits.heldOut)).toEqual([200, 225, 198, 207, 196, 172, 203, 214, 189, 196]);
    const first = digits.heldOut.labels.indexOf(7);
    const file = JSON.parse(readFileSync(join(digitsFolder(), "7.json"), "utf8")) as {
      data: number[];
    };
    const picture = digits.heldOut.pixels.slice(
      first * pixelsPerDigit,
      (first + 1) * pixelsPerDigit,
    );
    const matches = [0, 1, 2, 3, 4].filter((index) =>
      picture.every((ink, pixel) => ink === Math.fround(file.data[index * pixelsPerDigit + pixel])),
    );
    expect(matches).toHaveLength(1);
  });

  test("are rejected if a file has another checksum", () => {
    const folder = mkdtempSync(join(tmpdir(), "digits-"));
    try {
      cpSync(digitsFolder(), folder, { recursive: true });
      const file = join(folder, "4.json");
      writeFileSync(file, readFileSync(file, "utf8").replace("0.9", "0.8"));
      expect(() => readDigits(folder)).toThrow(
        /4\.json has the SHA-256 [0-9a-f]{64}; expected b2cb87a1.*Install the package mnist 1\.1\.0 again\./,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("have labels as rows of ten", () => {
    expect([...oneHot(Uint8Array.of(2, 0))]).toEqual([
      0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });
});
