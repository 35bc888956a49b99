import { readFile } from "node:fs/promises";
import { GradstepError } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { decodeSafetensors } from "../../src/safetensors/index.js";
import { encoded } from "./encoded.js";
import { fileOf } from "./malformed-file.js";

// Written by scripts/bridges/make_safetensors_fixtures.py with safetensors 0.8.
const folder = new URL("../fixtures/safetensors/", import.meta.url);

/** Byte i of each tensor in the fixtures is 37 i modulo 256. */
function bytesOfFixture(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 37 * i);
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

describe("files that safetensors wrote", () => {
  test("every dtype that it writes", async () => {
    const { tensors, metadata } = await decodeSafetensors(
      await readFile(new URL("dtypes.safetensors", folder)),
    );
    expect(metadata).toEqual(new Map());
    const found = [...tensors].map(
      ([name, { dtype, shape, data }]) =>
        `${name}: ${dtype} [${shape.join()}] ${data.constructor.name} ${data.length}`,
    );
    expect(found.sort()).toEqual([
      "bfloat16: BF16 [2,3] Uint16Array 6",
      "bool: BOOL [2,3] Uint8Array 6",
      "complex64: C64 [2,3] Float32Array 12",
      "float16: F16 [2,3] Uint16Array 6",
      "float32: F32 [2,3] Float32Array 6",
      "float4_e2m1fn_x2: F4 [2,6] Uint8Array 6",
      "float64: F64 [2,3] Float64Array 6",
      "float8_e4m3fn: F8_E4M3 [2,3] Uint8Array 6",
      "float8_e4m3fnuz: F8_E4M3FNUZ [2,3] Uint8Array 6",
      "float8_e5m2: F8_E5M2 [2,3] Uint8Array 6",
      "float8_e5m2fnuz: F8_E5M2FNUZ [2,3] Uint8Array 6",
      "float8_e8m0fnu: F8_E8M0 [2,3] Uint8Array 6",
      "int16: I16 [2,3] Int16Array 6",
      "int32: I32 [2,3] Int32Array 6",
      "int64: I64 [2,3] BigInt64Array 6",
      "int8: I8 [2,3] Int8Array 6",
      "uint16: U16 [2,3] Uint16Array 6",
      "uint32: U32 [2,3] Uint32Array 6",
      "uint64: U64 [2,3] BigUint64Array 6",
      "uint8: U8 [2,3] Uint8Array 6",
    ]);
    for (const { data } of tensors.values())
      expect(bytesOf(data)).toEqual(bytesOfFixture(data.byteLength));
  });

  test("unusual names, scalars, empty tensors, metadata", async () => {
    const { tensors, metadata } = await decodeSafetensors(
      await readFile(new URL("names.safetensors", folder)),
    );
    expect(metadata).toEqual(
      new Map([
        ["", "empty"],
        ["😀", "\n\u2028"],
        ["__proto__", "text"],
      ]),
    );
    expect(new Map([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual(
      new Map([
        ["", []],
        ["__proto__", [1]],
        ['quote " backslash \\ tab \t', [3]],
        ["é, 中文, 😀", [1, 1, 2]],
        ["empty", [0]],
        ["empty, too", [3, 0, 2]],
      ]),
    );
    for (const { data } of tensors.values())
      expect(bytesOf(data)).toEqual(bytesOfFixture(data.byteLength));
  });

  test("no tensors", async () => {
    const file = await readFile(new URL("nothing.safetensors", folder));
    expect(await decodeSafetensors(file)).toEqual({ metadata: new Map(), tensors: new Map() });
    expect(await encoded(new Map())).toEqual(new Uint8Array(file));
  });
});

interface HeaderCase {
  readonly text?: string;
  readonly base64?: string;
  readonly dataLength: number;
  readonly accepted: boolean;
}

/** What safetensors accepts and the codec does not, as its documentation says. */
const stricter = [
  /^(The header|The metadata) has .* twice/,
  /has the field "x"/,
  /expected an integer up to 2\^53 − 1/,
  // A tensor as an array of its fields, and a dtype as an object: serde takes both.
  /has "\[\\"U8.*; expected "\{"/,
  /has "\{\\"U8.*; expected a string/,
];

test("headers that safetensors accepts and refuses", async () => {
  const text = await readFile(new URL("headers.json", folder), "utf8");
  const cases = JSON.parse(text) as readonly HeaderCase[];
  const differences: string[] = [];
  for (const { text: header, base64 = "", dataLength, accepted } of cases) {
    const file = fileOf(header ?? Buffer.from(base64, "base64"), dataLength);
    const message = await refusal(file);
    const isStricter = accepted && stricter.some((pattern) => pattern.test(message ?? ""));
    if (accepted !== (message === undefined) && !isStricter)
      differences.push(`${header ?? base64}: ${message ?? "accepted"}`);
  }
  expect(differences).toEqual([]);
  expect(cases.filter(({ accepted }) => accepted).length).toBeGreaterThan(20);
  expect(cases.filter(({ accepted }) => !accepted).length).toBeGreaterThan(60);
});

/** The message with which a file is refused. */
async function refusal(file: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  try {
    await decodeSafetensors(file);
    return undefined;
  } catch (error) {
    if (error instanceof GradstepError && error.code === "INVALID_FILE") return error.message;
    throw error;
  }
}
