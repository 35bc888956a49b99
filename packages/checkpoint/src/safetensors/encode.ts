import { GradstepError, list, show } from "@gradstep/core";
import { blockLength, blocks } from "./blocks.js";
import { BlockDigest, digestLength, digestName } from "./digest.js";
import { bitsPerElement, byteLengthOf, arrayOf, type TypedArray } from "./dtypes.js";
import type { SafetensorsEntry } from "./entry.js";
import { encodeHalfFloats } from "./half-floats.js";
import { maxHeaderLength, maxTensors, metadataKey } from "./header.js";

/** Options of `encodeSafetensors`. */
export interface EncodeOptions {
  /** Texts by their names. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** Whether the file ends with a digest, in a tensor of its own, `gradstep.digest`. False if left out. */
  readonly digest?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told after each chunk how many bytes were taken, of how many. */
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/** A tensor with its name and its place in the file. */
interface PlacedTensor extends SafetensorsEntry {
  readonly name: string;
  readonly byteLength: number;
}

/**
 * Encodes tensors as a safetensors file, in chunks of up to 1 MiB: views of the tensors' memory where they can be, so the
 * arrays must not change until the last chunk was taken. Tensors are ordered by the size of their elements, largest first,
 * and then by name; the header is padded, so that all data is aligned.
 *
 * @throws {GradstepError} `INVALID_PARAMETER` (a name, metadata or a number of tensors that the format cannot hold),
 * `LENGTH_MISMATCH` (data that do not have the shape), `UNSUPPORTED` (a digest in a page that is no secure context)
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options: EncodeOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { placed, header, size } = layOut(tensors, options);
  return encodedChunks(placed, header, size, options);
}

/** The number of bytes that `encodeSafetensors` makes of them. @throws {GradstepError} as `encodeSafetensors` does */
export function safetensorsSize(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options: EncodeOptions = {},
): number {
  return layOut(tensors, options).size;
}

async function* encodedChunks(
  placed: readonly PlacedTensor[],
  header: Uint8Array,
  size: number,
  { digest = false, signal, onProgress }: EncodeOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const hash = digest ? new BlockDigest() : undefined;
  let bytes = 0;
  const hashedSize = digest ? size - digestLength : size;
  for await (const block of blocks(pieces(header, placed), hashedSize)) {
    signal?.throwIfAborted();
    await hash?.add(block);
    yield block;
    bytes += block.length;
    onProgress?.(bytes, size);
  }
  signal?.throwIfAborted();
  if (hash === undefined) return;
  yield await hash.finish();
  onProgress?.(size, size);
}

function* pieces(header: Uint8Array, placed: readonly PlacedTensor[]): Generator<Uint8Array> {
  yield header;
  for (const { dtype, data } of placed) {
    if ((dtype === "F16" || dtype === "BF16") && isFloats(data)) {
      const step = blockLength / 2;
      for (let at = 0; at < data.length; at += step)
        yield bytesOf(encodeHalfFloats(dtype, data.subarray(at, at + step)));
    } else yield bytesOf(data);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function isFloats(data: TypedArray): data is Float32Array | Float64Array {
  return data instanceof Float32Array || data instanceof Float64Array;
}

/** Checks everything, and writes the header with the eight bytes before it. */
function layOut(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  { metadata, digest = false }: EncodeOptions,
): { placed: readonly PlacedTensor[]; header: Uint8Array; size: number } {
  const placed = [...tensors]
    .map(([name, entry]) => ({ name, ...entry, byteLength: checkedLength(name, entry) }))
    .sort(
      (a, b) => bitsPerElement(b.dtype) - bitsPerElement(a.dtype) || (a.name < b.name ? -1 : 1),
    );
  if (placed.length + Number(digest) > maxTensors)
    throw invalid(`Got ${placed.length} tensors; expected at most ${maxTensors - Number(digest)}`);
  if (digest && tensors.has(digestName))
    throw invalid(`Got a tensor named ${digestName}, the name of the digest; expected another`);
  const parts: string[] = [];
  if (metadata !== undefined && metadata.size > 0)
    parts.push(`"${metadataKey}":${JSON.stringify(Object.fromEntries(checkedTexts(metadata)))}`);
  let end = 0;
  const add = (name: string, dtype: string, shape: readonly number[], length: number): void => {
    const layout = { dtype, shape, data_offsets: [end, end + length] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(layout)}`);
    end += length;
  };
  for (const { name, dtype, shape, byteLength } of placed) add(name, dtype, shape, byteLength);
  if (digest) add(digestName, "U8", [digestLength], digestLength);
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderLength)
    throw invalid(`Got a header of ${length} bytes; expected at most ${maxHeaderLength}`);
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return { placed, header, size: header.length + end };
}

/** The bytes of a tensor in the file. */
function checkedLength(name: string, { dtype, shape, data }: SafetensorsEntry): number {
  if (name === metadataKey || !isText(name))
    throw invalid(`Got a tensor named ${show(name)}; expected text other than ${metadataKey}`);
  const length = byteLengthOf(dtype, shape);
  const isHalf = (dtype === "F16" || dtype === "BF16") && isFloats(data);
  if (!isHalf && !(data instanceof arrayOf(dtype)))
    throw new GradstepError(
      `Tensor ${show(name)} of ${dtype} has ${show(data)}; expected a ${arrayOf(dtype).name}.`,
      { code: "INVALID_PARAMETER" },
    );
  const got = isHalf ? data.length * 2 : data.byteLength;
  if (got === length) return length;
  throw new GradstepError(
    `Tensor ${show(name)} has ${got} bytes; expected ${length ?? "whole bytes"} for ${dtype} of shape [${list(shape.map(String))}].`,
    { code: "LENGTH_MISMATCH" },
  );
}

function checkedTexts(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  for (const [name, text] of metadata)
    if (!isText(name) || !isText(text))
      throw invalid(`Got metadata ${show(name)}: ${show(text)}; expected text`);
  return metadata;
}

/** Whether a value is text that UTF-8 can hold: surrogates without a partner would become other characters. */
function isText(value: unknown): value is string {
  return typeof value === "string" && !/\p{Surrogate}/u.test(value);
}

function invalid(message: string): GradstepError {
  return new GradstepError(`${message}.`, { code: "INVALID_PARAMETER" });
}
