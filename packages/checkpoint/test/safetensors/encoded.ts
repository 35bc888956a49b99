import {
  encodeSafetensors,
  type EncodeOptions,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";

/** A file in memory. */
export async function encoded(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options?: EncodeOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of encodeSafetensors(tensors, options)) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Small valid files, with and without a digest and metadata. */
export function validFiles(): Promise<Uint8Array<ArrayBuffer>[]> {
  const w: SafetensorsEntry = {
    dtype: "F32",
    shape: [2, 3],
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
  };
  const t: SafetensorsEntry = { dtype: "I64", shape: [], data: BigInt64Array.of(7n) };
  const empty: SafetensorsEntry = { dtype: "U8", shape: [0, 9], data: new Uint8Array(0) };
  const metadata = new Map([
    ["format", "gradstep"],
    ["quote", '"\\é'],
  ]);
  return Promise.all([
    encoded(new Map()),
    encoded(new Map([["w", w]])),
    encoded(new Map([["w", w]]), { digest: true }),
    encoded(
      new Map([
        ["w", w],
        ["t", t],
        ["empty", empty],
        ["é😀", w],
      ]),
      { metadata },
    ),
    encoded(
      new Map([
        ["w", w],
        ["t", t],
        ["empty", empty],
      ]),
      { metadata, digest: true },
    ),
  ]);
}
