import { GradstepError, show } from "@gradstep/core";
import { checkIoOptions } from "../check-io-options.js";
import { blocks } from "./blocks.js";
import { chunksOf, sizeOf, type SafetensorsSource } from "./chunks.js";
import { BlockDigest, digestLength, digestName } from "./digest.js";
import { allocate, type Dtype, type TypedArray } from "./dtypes.js";
import type { Progress } from "./encode.js";
import type { SafetensorsEntry } from "./entry.js";
import type { SafetensorsHeader, SafetensorsLayout } from "./header.js";
import { readHead } from "./read-header.js";

/** Options of `decodeSafetensors`. */
export interface DecodeOptions {
  /** Ends the decoding: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: Progress | undefined;
  /**
   * `"check"`: the digest is checked if the file has one. `"require"`: a file without a digest is refused; then every damage
   * is found, also one that hides the digest. `"ignore"`: no digest is computed, as where there is no `crypto.subtle`.
   * Default: `"check"`.
   */
  readonly digest?: "check" | "require" | "ignore" | undefined;
}

/** The content of a file. */
export interface SafetensorsFile {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of the file, without the digest. Each has an array of its own. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/**
 * Reads a safetensors file. Memory: the tensors, the header and a few MiB. Nothing is allocated before the header is found
 * to fit the size of the file.
 * @throws {GradstepError} `INVALID_FILE` (damaged, or not safetensors), `OUT_OF_MEMORY`, `UNSUPPORTED` (the file has a digest,
 * and there is no `crypto.subtle`), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export async function decodeSafetensors(
  source: SafetensorsSource,
  options: DecodeOptions = {},
): Promise<SafetensorsFile> {
  checkIoOptions("decodeSafetensors", options, ["signal", "onProgress", "digest"]);
  return decodeInto(source, options, () => undefined);
}

/** The array for a tensor; undefined for a new one. */
export type TensorMemory = (
  name: string,
  dtype: Dtype,
  byteLength: number,
) => TypedArray | undefined;

/**
 * The same, into arrays that are there already. What they hold afterwards is undefined if it throws.
 * @param memory gives an array of the type and length of a tensor, and none twice
 */
export async function decodeInto(
  source: SafetensorsSource,
  options: DecodeOptions,
  memory: TensorMemory,
): Promise<SafetensorsFile> {
  const { signal, onProgress, digest: mode = "check" } = options;
  if (!["check", "require", "ignore"].includes(mode))
    throw new GradstepError(
      `decodeSafetensors: digest is ${show(mode)}; expected "check", "require" or "ignore".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  const size = sizeOf(source);
  const rest = blocks(chunksOf(source, signal), size, digestLength);
  try {
    const { header, blocks: first } = await readHead(rest, size);
    const digest = mode === "ignore" ? undefined : digestOf(header, size, mode);
    const data = new TensorData(header, memory);
    let bytes = 0;
    const take = async (block: Uint8Array<ArrayBuffer>): Promise<void> => {
      signal?.throwIfAborted();
      bytes += block.length;
      // The digest itself is a block of its own, the last one.
      if (bytes < size) await digest?.add(block);
      data.append(block);
      onProgress?.(bytes, size);
    };
    for (const block of first) await take(block);
    for await (const block of rest) await take(block);
    const tensors = data.finish();
    if (digest !== undefined) checkDigest(tensors.get(digestName)!, await digest.finish());
    signal?.throwIfAborted();
    tensors.delete(digestName);
    return { metadata: header.metadata, tensors };
  } finally {
    await rest.return();
  }
}

/**
 * Reads the header alone, which says what is in the file and where.
 * @throws {GradstepError} `INVALID_FILE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export async function readSafetensorsHeader(
  source: SafetensorsSource,
  options: Pick<DecodeOptions, "signal"> = {},
): Promise<SafetensorsHeader> {
  checkIoOptions("readSafetensorsHeader", options, ["signal"]);
  const { signal } = options;
  const size = sizeOf(source);
  const start = blocks(chunksOf(source, signal), size, digestLength);
  try {
    return (await readHead(start, size)).header;
  } finally {
    await start.return();
  }
}

/** The arrays of a file's tensors, each of which is found or allocated when its first byte comes. */
class TensorData {
  readonly #layouts: Iterator<[string, SafetensorsLayout]>;
  readonly #memory: TensorMemory;
  readonly #tensors = new Map<string, SafetensorsEntry>();
  /** Bytes of the file before its data. */
  #skip: number;
  /** The part of the last tensor that has no bytes yet. */
  #missing = new Uint8Array(0);

  constructor(header: SafetensorsHeader, memory: TensorMemory) {
    this.#memory = memory;
    this.#layouts = header.tensors.entries();
    this.#skip = header.dataStart;
  }

  /** Appends the next bytes of the file. */
  append(bytes: Uint8Array): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    for (let at = skipped; at < bytes.length;) {
      while (this.#missing.length === 0) this.#next();
      const part = bytes.subarray(at, at + this.#missing.length);
      this.#missing.set(part);
      this.#missing = this.#missing.subarray(part.length);
      at += part.length;
    }
  }

  /** All tensors. Those that are left have no bytes. */
  finish(): Map<string, SafetensorsEntry> {
    while (this.#next());
    return this.#tensors;
  }

  /** Goes on with the next tensor. Whether there is one. */
  #next(): boolean {
    const next = this.#layouts.next();
    if (next.done === true) return false;
    const [name, { dtype, shape, byteLength }] = next.value;
    const data =
      this.#memory(name, dtype, byteLength) ?? allocateTensor(name, { dtype, byteLength });
    this.#tensors.set(name, { dtype, shape, data });
    this.#missing = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, byteLength);
    return true;
  }
}

function allocateTensor(
  name: string,
  { dtype, byteLength }: Pick<SafetensorsLayout, "dtype" | "byteLength">,
): TypedArray {
  try {
    return allocate(dtype, byteLength);
  } catch (cause) {
    throw new GradstepError(
      `No memory for the ${byteLength} bytes of tensor ${show(name)}; expected an array of that length. Load fewer tensors at once, or use a machine with more memory.`,
      { code: "OUT_OF_MEMORY", cause },
    );
  }
}

/** What computes the digest, if the file has one. */
function digestOf(
  header: SafetensorsHeader,
  size: number,
  mode: "check" | "require",
): BlockDigest | undefined {
  const layout = header.tensors.get(digestName);
  if (layout === undefined) {
    if (mode === "check") return undefined;
    throw new GradstepError(
      `The file has no digest; expected the tensor ${show(digestName)}. The file is damaged, or was not written with \`digest: true\`.`,
      { code: "INVALID_FILE" },
    );
  }
  const { dtype, shape, byteOffset } = layout;
  if (dtype !== "U8" || shape.length !== 1 || byteOffset !== size - digestLength)
    throw new GradstepError(
      `Tensor ${show(digestName)} is ${dtype} of shape ${show(shape)} at byte ${byteOffset}; expected U8 of shape [${digestLength}] at the end of the file. The file is damaged, or uses a reserved name.`,
      { code: "INVALID_FILE" },
    );
  return new BlockDigest();
}

function checkDigest({ data: stored }: SafetensorsEntry, computed: Uint8Array): void {
  if (computed.every((byte, i) => byte === stored[i])) return;
  throw new GradstepError(
    `The digest of the file is ${hex(computed)}; expected ${hex(stored as Uint8Array)}, which was saved with it. The file is damaged: use another copy or an older checkpoint.`,
    { code: "INVALID_FILE" },
  );
}

/** The first 8 bytes, which tell digests apart. */
function hex(digest: Uint8Array): string {
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
