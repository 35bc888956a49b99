import { blockLength, blocks } from "./blocks.js";
import { BlockDigest, digestLength } from "./digest.js";
import type { SafetensorsEntry } from "./entry.js";
import { isRounded, layOut, type FileLayout, type LayoutOptions } from "./file-layout.js";
import { encodeHalfFloats } from "./half-floats.js";

/** Called as bytes are read or written: how many so far, of how many. */
export type Progress = (bytes: number, total: number) => void;

/** Options of `encodeSafetensors`. */
export interface EncodeOptions extends LayoutOptions {
  /** Ends the encoding: the next chunk rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: Progress | undefined;
}

/** Values that are rounded to 16 bits at a time, so that memory for them stays small. */
const valuesPerPiece = blockLength / 2;

/**
 * The bytes of a safetensors file, as chunks of 1 MiB; the last one is shorter. Chunks are views of the arrays where possible:
 * change neither them nor the arrays before the file is written. They are never reused.
 *
 * With `digest: true`, the hash of a chunk is computed while the chunk is being written.
 * @throws {GradstepError} at once, `INVALID_PARAMETER` (a name, text or array that cannot be written), `INVALID_SHAPE`,
 * `LENGTH_MISMATCH`, `UNSUPPORTED` (more than 100,000 tensors, a header above 16 MiB, or no `crypto.subtle` for the digest),
 * `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options: EncodeOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const layout = layOut(tensors, options);
  return encode(layout, options.digest === true ? new BlockDigest() : undefined, options);
}

/** How many bytes `encodeSafetensors` gives. */
export function safetensorsSize(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options: LayoutOptions = {},
): number {
  return layOut(tensors, options).size;
}

async function* encode(
  layout: FileLayout,
  digest: BlockDigest | undefined,
  { signal, onProgress }: EncodeOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { size } = layout;
  let written = 0;
  signal?.throwIfAborted();
  for await (const block of blocks(pieces(layout), size - (digest ? digestLength : 0))) {
    await digest?.add(block);
    signal?.throwIfAborted();
    yield block;
    signal?.throwIfAborted();
    written += block.length;
    onProgress?.(written, size);
  }
  if (digest) {
    yield await digest.finish();
    onProgress?.(size, size);
  }
}

function* pieces({ head, tensors }: FileLayout): Generator<Uint8Array, void, undefined> {
  yield head;
  for (const entry of tensors) {
    if (isRounded(entry)) yield* roundedPieces(entry.dtype, entry.data);
    else yield bytesOf(entry.data);
  }
}

function* roundedPieces(
  dtype: "F16" | "BF16",
  values: Float32Array | Float64Array,
): Generator<Uint8Array, void, undefined> {
  for (let i = 0; i < values.length; i += valuesPerPiece)
    yield bytesOf(encodeHalfFloats(dtype, values.subarray(i, i + valuesPerPiece)));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
