import { GradstepError, show } from "@gradstep/core";
import { blocks } from "./blocks.js";
import { chunksOf, sizeOf, type SafetensorsSource } from "./chunks.js";
import { BlockDigest, digestLength, digestName } from "./digest.js";
import { allocate, type TypedArray } from "./dtypes.js";
import type { SafetensorsEntry } from "./entry.js";
import {
  maxHeaderLength,
  parseHeader,
  type SafetensorsHeader,
  type SafetensorsLayout,
} from "./header.js";

/** Options of `decodeSafetensors`. */
export interface DecodeOptions {
  /**
   * `"check"`, if left out: the digest must be right if there is one. `"require"`: a file without a digest is damaged.
   * `"ignore"`: it is not computed.
   */
  readonly digest?: "check" | "require" | "ignore" | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes were read, of how many. */
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/** The content of a file, without its digest. */
export interface SafetensorsFile {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/**
 * Decodes a safetensors file. Nothing is allocated for a tensor before the header was checked against the size of the
 * file; memory is at most that of the tensors and of one chunk.
 *
 * @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED` (a digest in a page that is no secure context)
 */
export async function decodeSafetensors(
  source: SafetensorsSource,
  { digest = "check", signal, onProgress }: DecodeOptions = {},
): Promise<SafetensorsFile> {
  const size = sizeOf(source);
  const start = new HeaderReader(size);
  let tensors: TensorReader | undefined;
  let hash: BlockDigest | undefined;
  let last = new Uint8Array(0);
  let bytes = 0;
  const isBeforeDigest = (block: Uint8Array): boolean => bytes + block.length < size;
  const take = async (block: Uint8Array<ArrayBuffer>, reader: TensorReader): Promise<void> => {
    if (hash !== undefined && isBeforeDigest(block)) await hash.add(block);
    reader.add(block);
    last = block;
    bytes += block.length;
    onProgress?.(bytes, size);
  };
  for await (const block of blocks(chunksOf(source, signal), size, digestLength)) {
    signal?.throwIfAborted();
    if (tensors !== undefined) await take(block, tensors);
    else if (start.add(block)) {
      const header = start.header!;
      if (digest !== "ignore" && hasDigest(header, size, digest)) hash = new BlockDigest();
      tensors = new TensorReader(header);
      for (const one of start.blocks) await take(one, tensors);
    }
  }
  signal?.throwIfAborted();
  if (tensors === undefined) throw cutOff(size);
  if (hash !== undefined) checkDigest(last, await hash.finish());
  const entries = tensors.finish();
  entries.delete(digestName);
  return { metadata: start.header!.metadata, tensors: entries };
}

/** Reads the header alone. @throws {GradstepError} `INVALID_FILE` */
export async function readSafetensorsHeader(
  source: SafetensorsSource,
  { signal }: Pick<DecodeOptions, "signal"> = {},
): Promise<SafetensorsHeader> {
  const size = sizeOf(source);
  const start = new HeaderReader(size);
  for await (const block of blocks(chunksOf(source, signal), size, digestLength))
    if (start.add(block)) return start.header!;
  signal?.throwIfAborted();
  throw cutOff(size);
}

/** Collects blocks until they have the header. */
class HeaderReader {
  readonly blocks: Uint8Array<ArrayBuffer>[] = [];
  header: SafetensorsHeader | undefined;
  readonly #size: number;
  #length = 0;

  constructor(size: number) {
    if (size < 8) throw cutOff(size);
    this.#size = size;
  }

  /** Whether this block completes the header. */
  add(block: Uint8Array<ArrayBuffer>): boolean {
    this.blocks.push(block);
    this.#length += block.length;
    if (this.#length < 8) return false;
    const bytes = this.#length === block.length ? block : joined(this.blocks, this.#length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = view.getBigUint64(0, true);
    if (length > maxHeaderLength || Number(length) > this.#size - 8)
      throw new GradstepError(
        `The header has ${length} bytes; expected at most ${Math.min(maxHeaderLength, this.#size - 8)}. The file is damaged, or not a safetensors file.`,
        { code: "INVALID_FILE" },
      );
    const end = 8 + Number(length);
    if (this.#length < end) return false;
    this.header = parseHeader(textOf(bytes.subarray(8, end)), end, this.#size);
    return true;
  }
}

/** Copies blocks into the tensors, one after the other. */
class TensorReader {
  readonly #entries = new Map<string, SafetensorsEntry>();
  readonly #layouts: Iterator<[string, SafetensorsLayout]>;
  /** Bytes until the tensors begin. */
  #skip: number;
  #current: Uint8Array = new Uint8Array(0);
  #filled = 0;

  constructor({ tensors, dataStart }: SafetensorsHeader) {
    this.#layouts = tensors[Symbol.iterator]();
    this.#skip = dataStart;
  }

  add(block: Uint8Array): void {
    const skipped = Math.min(this.#skip, block.length);
    this.#skip -= skipped;
    for (let at = skipped; at < block.length;) {
      if (this.#filled === this.#current.length) {
        this.#next();
        continue;
      }
      const part = block.subarray(at, at + this.#current.length - this.#filled);
      this.#current.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  /** The tensors, when all bytes were added. */
  finish(): Map<string, SafetensorsEntry> {
    // Those without bytes at the end.
    while (this.#next()) continue;
    return this.#entries;
  }

  /** Goes to the next tensor; false if there is none. */
  #next(): boolean {
    const { done, value } = this.#layouts.next();
    if (done === true) return false;
    const [name, { dtype, shape, byteLength }] = value as [string, SafetensorsLayout];
    const data: TypedArray = allocate(dtype, byteLength);
    this.#entries.set(name, { dtype, shape, data });
    this.#current = new Uint8Array(data.buffer);
    this.#filled = 0;
    return true;
  }
}

/** Whether the file ends with a digest. @throws {GradstepError} `INVALID_FILE` if one is required, or is not at the end */
function hasDigest({ tensors }: SafetensorsHeader, size: number, digest: string): boolean {
  const layout = tensors.get(digestName);
  if (layout === undefined && digest === "check") return false;
  if (layout?.dtype === "U8" && layout.byteOffset === size - digestLength) return true;
  throw new GradstepError(
    `The file has ${layout === undefined ? "no digest" : "a digest that is not its end"}; expected the tensor ${show(digestName)}, U8, as its last ${digestLength} bytes. The file is damaged, or was written without a digest.`,
    { code: "INVALID_FILE" },
  );
}

function checkDigest(stored: Uint8Array, computed: Uint8Array): void {
  if (stored.length === computed.length && stored.every((byte, i) => byte === computed[i])) return;
  throw new GradstepError(
    `The file's digest is ${hex(stored)}; expected ${hex(computed)}, that of its content. It is damaged: use another copy.`,
    { code: "INVALID_FILE" },
  );
}

function hex(bytes: Uint8Array): string {
  return `${Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("")}…`;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new GradstepError(
      "The header is not UTF-8; expected JSON. The file is damaged, or not a safetensors file.",
      { code: "INVALID_FILE", cause },
    );
  }
}

function cutOff(size: number): GradstepError {
  return new GradstepError(
    `Got ${size} bytes; expected a safetensors file, which has a header. The file was cut off, or is another one.`,
    { code: "INVALID_FILE" },
  );
}
