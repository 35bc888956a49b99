import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensorsHeader,
  safetensorsSize,
  type EncodeOptions,
  type SafetensorsEntry,
} from "../src/safetensors/index.js";

async function bytesOf(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options?: EncodeOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: BlobPart[] = [];
  for await (const chunk of encodeSafetensors(tensors, options)) chunks.push(chunk.slice());
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

const floats = fc.float32Array({ maxLength: 20 });
const entry = fc.oneof(
  floats.map((data) => ({ dtype: "F32" as const, shape: [data.length], data })),
  fc.float64Array({ maxLength: 9 }).map((data) => ({
    dtype: "F64" as const,
    shape: [1, data.length, 1],
    data,
  })),
  fc.uint8Array({ minLength: 1, maxLength: 1 }).map((data) => ({
    dtype: "BOOL" as const,
    shape: [],
    data,
  })),
  fc.uint16Array({ maxLength: 7 }).map((data) => ({
    dtype: "BF16" as const,
    shape: [data.length],
    data,
  })),
  fc.bigInt64Array({ maxLength: 3 }).map((data) => ({
    dtype: "I64" as const,
    shape: [data.length],
    data,
  })),
);
const name = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "a/b", "0"),
);

test("what was encoded is decoded, whatever the chunks are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, entry)),
      fc.array(fc.tuple(name, fc.string({ unit: "grapheme" }))),
      fc.boolean(),
      fc.integer({ min: 1, max: 64 }),
      async (entries, texts, digest, chunk) => {
        const tensors = new Map<string, SafetensorsEntry>(entries);
        const metadata = new Map(texts);
        const bytes = await bytesOf(tensors, { metadata, digest });
        expect(safetensorsSize(tensors, { metadata, digest })).toBe(bytes.length);
        const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> => {
          let at = 0;
          return new ReadableStream({
            pull(controller) {
              if (at >= bytes.length) controller.close();
              else controller.enqueue(bytes.slice(at, (at += chunk)));
            },
          });
        };
        for (const source of [bytes, bytes.buffer, { size: bytes.length, stream }]) {
          const file = await decodeSafetensors(source);
          expect(new Map(file.tensors)).toStrictEqual(tensors);
          expect(file.metadata).toStrictEqual(metadata);
        }
        const header = await readSafetensorsHeader(bytes);
        for (const { byteOffset, dtype } of header.tensors.values())
          expect(
            byteOffset % { F64: 8, I64: 8, F32: 4, BF16: 2, BOOL: 1, U8: 1 }[dtype as "F64"],
          ).toBe(0);
      },
    ),
  );
});

test("every flipped bit is found", async () => {
  const data = Float32Array.from({ length: 40 }, Math.random);
  const bytes = await bytesOf(new Map([["w", { dtype: "F32", shape: [40], data }]]), {
    metadata: new Map([["a", "b"]]),
    digest: true,
  });
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    await expect(decodeSafetensors(bytes, { digest: "require" })).rejects.toMatchObject({
      code: "INVALID_FILE",
    });
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
  await decodeSafetensors(bytes, { digest: "require" });
});

test("files of several blocks have a digest over all of them", async () => {
  const data = Float32Array.from({ length: 700_001 }, (_, i) => i);
  const tensors = new Map<string, SafetensorsEntry>([
    ["w", { dtype: "F32", shape: [700_001], data }],
  ]);
  const steps: number[] = [];
  const bytes = await bytesOf(tensors, { digest: true, onProgress: (done) => steps.push(done) });
  expect(steps.at(-1)).toBe(bytes.length);
  const { tensors: decoded } = await decodeSafetensors(new Blob([bytes]), { digest: "require" });
  expect(decoded.get("w")).toStrictEqual(tensors.get("w"));
  bytes[2_000_000] ^= 1;
  await expect(decodeSafetensors(bytes)).rejects.toMatchObject({ code: "INVALID_FILE" });
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await expect(decodeSafetensors(bytes, { signal: controller.signal })).rejects.toThrow("enough");
});
