import { expect, test } from "vitest";
import {
  decodeSafetensors,
  floatValues,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";
import { encoded } from "./encoded.js";

/** The bits that are in a file for these values. */
async function bitsOf(
  dtype: "F16" | "BF16",
  data: Float32Array | Float64Array,
): Promise<Uint16Array> {
  const file = await encoded(new Map([["x", { dtype, shape: [data.length], data }]]));
  return (await decodeSafetensors(file)).tensors.get("x")!.data as Uint16Array;
}

function half(dtype: "F16" | "BF16", data: Uint16Array): SafetensorsEntry {
  return { dtype, shape: [data.length], data };
}

/** All 65,536 patterns of bits. */
const patterns = Uint16Array.from({ length: 65_536 }, (_, i) => i);

test.each(["F16", "BF16"] as const)("%s: every value comes back with its bits", async (dtype) => {
  const values = floatValues(half(dtype, patterns));
  const bits = await bitsOf(dtype, values);
  const changed = patterns.filter((pattern, i) => bits[i] !== pattern && !Number.isNaN(values[i]));
  expect(changed).toEqual(new Uint16Array(0));
  expect(floatValues(half(dtype, bits)).filter(Number.isNaN).length).toBe(
    values.filter(Number.isNaN).length,
  );
});

test.each(["F16", "BF16"] as const)(
  "%s: rounds to the nearest, halfway to the even one, also from f64",
  async (dtype) => {
    // Finite neighbors, from 0 on. The last one has no neighbor.
    const largest = dtype === "F16" ? 0x7bff : 0x7f7f;
    const lower = patterns.slice(0, largest);
    const values = floatValues(half(dtype, patterns));
    const middle = Float64Array.from(lower, (i) => (values[i] + values[i + 1]) / 2);
    const even = lower.map((i) => i + (i & 1));
    expect(await bitsOf(dtype, middle)).toEqual(even);
    expect(await bitsOf(dtype, Float32Array.from(middle))).toEqual(even);
    expect(
      await bitsOf(
        dtype,
        middle.map((value) => -value),
      ),
    ).toEqual(even.map((i) => i | 0x8000));
    // Nearer to the middle than an f32 can be.
    const above = await bitsOf(
      dtype,
      middle.map((value) => value * (1 + 2 ** -50)),
    );
    expect(above).toEqual(lower.map((i) => i + 1));
    const below = await bitsOf(
      dtype,
      middle.map((value) => value * (1 - 2 ** -50)),
    );
    expect(below).toEqual(lower);
  },
);

test("beyond the range: BF16 overflows to infinity, F16 stays at 65504; infinities stay", async () => {
  const values = Float64Array.of(3.4e38, 1e39, -1e39, Infinity, -Infinity, Number.NaN);
  const decoded = async (dtype: "F16" | "BF16"): Promise<number[]> => [
    ...floatValues(half(dtype, await bitsOf(dtype, values))),
  ];
  expect(await decoded("BF16")).toEqual([
    Infinity,
    Infinity,
    -Infinity,
    Infinity,
    -Infinity,
    Number.NaN,
  ]);
  expect(await decoded("F16")).toEqual([65504, 65504, -65504, Infinity, -Infinity, Number.NaN]);
});

test("floatValues refuses integers", () => {
  const entry: SafetensorsEntry = { dtype: "I32", shape: [1], data: Int32Array.of(1) };
  expect(() => floatValues(entry)).toThrow(expect.objectContaining({ code: "INVALID_FILE" }));
});
