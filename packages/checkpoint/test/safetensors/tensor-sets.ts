import fc from "fast-check";
import { allocate, byteLengthOf, dtypes } from "../../src/safetensors/dtypes.js";
import type { SafetensorsEntry } from "../../src/safetensors/index.js";

const entries = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    first: fc.nat(255),
  })
  .map(({ dtype, shape: sizes, first }): SafetensorsEntry => {
    // Four elements of F4 or F6 are whole bytes.
    const shape = /^F[46]/.test(dtype) ? [...sizes, 4] : sizes;
    const data = allocate(dtype, byteLengthOf(dtype, shape)!);
    const bytes = new Uint8Array(data.buffer);
    for (let i = 0; i < bytes.length; i++) bytes[i] = first + i * 167;
    return { dtype, shape, data };
  });

const texts = fc.string({ unit: "grapheme", maxLength: 12 });

const names = fc.oneof(
  { weight: 4, arbitrary: texts },
  fc.constantFrom("__proto__", "constructor", "a/b", "0"),
);

/** Tensors of every dtype, by name. */
export const tensorSets = fc
  .array(fc.tuple(names, entries), { maxLength: 8 })
  .map((list) => new Map(list));

export const metadataTexts = fc
  .array(fc.tuple(names, texts), { maxLength: 4 })
  .map((list) => new Map(list));
