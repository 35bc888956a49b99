import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../../testing/cases.js";
import { decodeSafetensors, readSafetensorsHeader } from "../../src/safetensors/index.js";
import { byteLengthOf } from "../../src/safetensors/dtypes.js";
import { encoded, validFiles } from "./encoded.js";
import { fileOf, malformedFile, randomOf } from "./malformed-file.js";

/** Whether a file is refused. Fails if it is neither refused as it should be nor read completely. */
async function isRefused(file: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const { tensors } = await decodeSafetensors(file);
    const { dataStart, tensors: layouts } = await readSafetensorsHeader(file);
    let bytes = layouts.has("gradstep.digest") ? 32 : 0;
    for (const { dtype, shape, data } of tensors.values()) {
      if (data.byteLength !== byteLengthOf(dtype, shape)) throw new Error("wrong length");
      bytes += data.byteLength;
    }
    if (bytes !== file.length - dataStart) throw new Error("not the bytes of the file");
    return false;
  } catch (error) {
    if (error instanceof GradstepError && error.code === "INVALID_FILE") return true;
    throw new Error(`File ${Buffer.from(file).toString("base64")}`, { cause: error });
  }
}

test(`malformed files are refused or read completely (seed ${seed})`, async () => {
  const random = randomOf(seed);
  const valid = await validFiles();
  const count = cases(1_000_000, 10_000);
  let refused = 0;
  for (let i = 0; i < count; i++) if (await isRefused(malformedFile(random, valid))) refused += 1;
  // The others are data with other values, names with other letters, and files that happen to be valid.
  expect(refused / count).toBeGreaterThan(0.7);
  expect(refused).toBeLessThan(count);
});

test(`JSON of any kind is refused as a header, or has no tensors (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 6 }), fc.nat(40), async (json, dataLength) => {
      const isEmpty = /^\{("__metadata__":(null|\{\}))?\}$/.test(json) && dataLength === 0;
      expect(await isRefused(fileOf(json, dataLength))).toBe(!isEmpty);
    }),
    { numRuns: cases(50_000, 500), seed },
  );
});

describe("a flipped bit is found", () => {
  test("anywhere in a small file", async () => {
    const file = (await validFiles())[4];
    const missed: number[] = [];
    for (let bit = 0; bit < file.length * 8; bit++)
      if (!(await isFound(file, bit))) missed.push(bit);
    expect(missed).toEqual([]);
    // As it was: every bit was flipped back.
    await decodeSafetensors(file, { digest: "require" });
  });

  test(`in files of random content (seed ${seed})`, async () => {
    const random = randomOf(seed);
    const count = cases(100_000, 1_000);
    const missed: string[] = [];
    for (let i = 0; i < count; i += 100) {
      const data = Float32Array.from({ length: 1 + random(200) }, () => random(2 ** 24));
      const file = await encoded(new Map([["w", { dtype: "F32", shape: [data.length], data }]]), {
        metadata: new Map([["step", String(i)]]),
        digest: true,
      });
      for (let k = 0; k < 100; k++) {
        const bit = random(file.length * 8);
        if (!(await isFound(file, bit))) missed.push(`bit ${bit} of file ${i}`);
      }
    }
    expect(missed).toEqual([]);
  });

  test("in a file of several blocks", async () => {
    const data = new Uint8Array(2_500_000);
    const file = await encoded(new Map([["w", { dtype: "U8", shape: [data.length], data }]]), {
      digest: true,
    });
    const { length } = file;
    const missed: number[] = [];
    for (const byte of [0, 40, 100, 2 ** 20 - 1, 2 ** 20, 2 ** 21, length - 33, length - 1])
      if (!(await isFound(file, byte * 8))) missed.push(byte);
    expect(missed).toEqual([]);
  });
});

/** Whether a file with this bit flipped is refused. */
async function isFound(file: Uint8Array<ArrayBuffer>, bit: number): Promise<boolean> {
  file[bit >> 3] ^= 1 << (bit & 7);
  try {
    await decodeSafetensors(file, { digest: "require" });
    return false;
  } catch (error) {
    return error instanceof GradstepError && error.code === "INVALID_FILE";
  } finally {
    file[bit >> 3] ^= 1 << (bit & 7);
  }
}
