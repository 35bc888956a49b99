import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  floatValues,
  readSafetensorsHeader,
  safetensorsSize,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";
import { arrayOf } from "../../src/safetensors/dtypes.js";
import { cases, seed } from "../../../../testing/cases.js";
import { encoded } from "./encoded.js";
import { metadataTexts, tensorSets } from "./tensor-sets.js";

/** The bytes as a stream of chunks of these lengths, in turn. */
function inChunks(
  bytes: Uint8Array<ArrayBuffer>,
  lengths: readonly number[],
): Pick<Blob, "size" | "stream"> {
  return {
    size: bytes.length,
    stream: () => {
      let at = 0;
      let i = 0;
      return new ReadableStream({
        pull(controller) {
          if (at >= bytes.length) return controller.close();
          const end = at + lengths[i++ % lengths.length];
          controller.enqueue(bytes.slice(at, end));
          at = end;
        },
      });
    },
  };
}

function bytesOf({ data }: SafetensorsEntry): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

describe("encoding, then decoding", () => {
  test(`random tensors come back as they were (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        tensorSets,
        metadataTexts,
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 4 }),
        async (tensors, metadata, digest, lengths) => {
          const bytes = await encoded(tensors, { metadata, digest });
          expect(bytes.length).toBe(safetensorsSize(tensors, { metadata, digest }));
          const header = await readSafetensorsHeader(bytes);
          for (const { dtype, byteOffset } of header.tensors.values())
            expect(byteOffset % arrayOf(dtype).BYTES_PER_ELEMENT).toBe(0);
          for (const source of [bytes, bytes.buffer, new Blob([bytes]), inChunks(bytes, lengths)]) {
            const decoded = await decodeSafetensors(source, {
              digest: digest ? "require" : "check",
            });
            expect(decoded.metadata).toEqual(metadata);
            expect(new Set(decoded.tensors.keys())).toEqual(new Set(tensors.keys()));
            for (const [name, { dtype, shape, data }] of decoded.tensors) {
              const expected = tensors.get(name)!;
              expect({ dtype, shape, array: data.constructor }).toEqual({
                dtype: expected.dtype,
                shape: expected.shape,
                array: expected.data.constructor,
              });
              expect(bytesOf({ dtype, shape, data })).toEqual(bytesOf(expected));
            }
          }
        },
      ),
      { numRuns: cases(5_000, 50), seed },
    );
  });

  test("tensors across blocks of 1 MiB, with a digest", async () => {
    const large = Float32Array.from({ length: 700_001 }, (_, i) => i);
    const tensors = new Map<string, SafetensorsEntry>([
      ["large", { dtype: "F32", shape: [700_001], data: large }],
      ["half", { dtype: "BF16", shape: [700_001], data: large }],
    ]);
    const bytes = await encoded(tensors, { digest: true });
    const decoded = await decodeSafetensors(inChunks(bytes, [65_536, 1, 3_000_000]), {
      digest: "require",
    });
    // toEqual takes seconds for an array of this length.
    expect(
      Buffer.compare(bytesOf(decoded.tensors.get("large")!), new Uint8Array(large.buffer)),
    ).toBe(0);
    expect(floatValues(decoded.tensors.get("half")!)[257]).toBe(256);
  });
});
