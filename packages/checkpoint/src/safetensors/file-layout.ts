import { GradstepError, list, show } from "@gradstep/core";
import { isInstance } from "@gradstep/core/internal";
import { checkIoOptions } from "../check-io-options.js";
import { platformClass } from "../platform-class.js";
import { digestLength, digestName } from "./digest.js";
import { arrayOf, bitsPerElement, byteLengthOf, dtypes, isDtype } from "./dtypes.js";
import type { SafetensorsEntry } from "./entry.js";
import { maxHeaderLength, maxTensors, metadataKey } from "./header.js";

/** What determines the layout of a file. */
export interface LayoutOptions {
  /** Texts by key, for `__metadata__`. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  /** Whether the file ends with a digest of itself, as the tensor `gradstep.digest`. Default: `false`. */
  readonly digest?: boolean | undefined;
}

/** A file before it is written. */
export interface FileLayout {
  /** The length of the header and the header. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** In the order of their data, without the digest. */
  readonly tensors: readonly SafetensorsEntry[];
  /** Bytes of the file. */
  readonly size: number;
}

/**
 * Lays out tensors by the size of their elements, the largest first, then by name. The header is padded to a multiple of 8
 * bytes: so every array is aligned in the file.
 * @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_SHAPE`, `LENGTH_MISMATCH`, `UNSUPPORTED`, `UNKNOWN_OPTION`
 */
export function layOut(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  options: LayoutOptions,
): FileLayout {
  checkIoOptions("encodeSafetensors", options, ["metadata", "digest", "signal", "onProgress"]);
  const { metadata, digest = false } = options;
  if (!isInstance(tensors, Map))
    throw new GradstepError(
      `Got ${show(tensors)} as the tensors; expected a Map by name. Make one with new Map(Object.entries(tensors)).`,
      { code: "INVALID_PARAMETER" },
    );
  for (const [name, entry] of tensors) checkEntry(name, entry);
  const count = tensors.size + (digest ? 1 : 0);
  if (count > maxTensors)
    throw new GradstepError(
      `Got ${count} tensors; expected at most ${maxTensors}. Save them in several files, or join them.`,
      { code: "UNSUPPORTED" },
    );
  const sorted = [...tensors].sort(
    ([a, { dtype: dtypeA }], [b, { dtype: dtypeB }]) =>
      bitsPerElement(dtypeB) - bitsPerElement(dtypeA) || (a < b ? -1 : 1),
  );
  const fields: string[] = [];
  if (metadata !== undefined && !isInstance(metadata, Map))
    throw new GradstepError(
      `Got ${show(metadata)} as the metadata; expected a Map of texts. Make one with new Map(Object.entries(metadata)).`,
      { code: "INVALID_PARAMETER" },
    );
  if (metadata !== undefined && metadata.size > 0) fields.push(metadataField(metadata));
  let end = 0;
  for (const [name, entry] of sorted) {
    checkName(name);
    const byteLength = checkedByteLength(name, entry);
    fields.push(tensorField(name, entry, end, end + byteLength));
    end += byteLength;
  }
  if (digest) {
    const entry = { dtype: "U8", shape: [digestLength] } as const;
    fields.push(tensorField(digestName, entry, end, end + digestLength));
    end += digestLength;
  }
  const head = headOf(`{${fields.join(",")}}`);
  return { head, tensors: sorted.map(([, entry]) => entry), size: head.length + end };
}

/** @throws {GradstepError} `INVALID_PARAMETER`, `INVALID_SHAPE` */
function checkEntry(name: string, entry: unknown): void {
  const { dtype, shape } = (entry ?? {}) as Partial<SafetensorsEntry>;
  if (!isDtype(dtype))
    throw new GradstepError(
      `Tensor ${show(name)} has dtype ${show(dtype)}; expected one of ${list(dtypes)}.`,
      { code: "INVALID_PARAMETER" },
    );
  if (!Array.isArray(shape))
    throw new GradstepError(
      `Tensor ${show(name)} has shape ${show(shape)}; expected an array of integers from 0 on, such as [784, 10], or [] for one number.`,
      { code: "INVALID_SHAPE" },
    );
}

function metadataField(metadata: ReadonlyMap<string, string>): string {
  for (const text of [...metadata.keys(), ...metadata.values()]) {
    if (typeof text !== "string" || /\p{Surrogate}/u.test(text))
      throw new GradstepError(
        `Got ${show(text)} in the metadata; expected strings of whole Unicode characters. Encode other values as JSON.`,
        { code: "INVALID_PARAMETER" },
      );
  }
  const fields = [...metadata].map(
    ([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`,
  );
  return `"${metadataKey}":{${fields.join(",")}}`;
}

function tensorField(
  name: string,
  { dtype, shape }: Pick<SafetensorsEntry, "dtype" | "shape">,
  start: number,
  end: number,
): string {
  return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${start},${end}]}`;
}

function checkName(name: string): void {
  if (name === metadataKey || name === digestName || /\p{Surrogate}/u.test(name))
    throw new GradstepError(
      `Got a tensor with the name ${show(name)}; expected whole Unicode characters, and neither "${metadataKey}" nor "${digestName}", which the format uses. Rename the tensor.`,
      { code: "INVALID_PARAMETER" },
    );
}

function checkedByteLength(name: string, { dtype, shape, data }: SafetensorsEntry): number {
  const byteLength = byteLengthOf(dtype, shape);
  if (byteLength === undefined)
    throw new GradstepError(
      `Tensor ${show(name)} of ${dtype} has shape ${show(shape)}; expected integers from 0 on, and whole bytes, up to 2^53 − 1 bits.`,
      { code: "INVALID_SHAPE" },
    );
  const array = arrayOf(dtype);
  const isConverted = isRounded({ dtype, shape, data });
  if (!(data instanceof array) && !isConverted)
    throw new GradstepError(
      `Tensor ${show(name)} of ${dtype} has ${show(data)}; expected a ${array.name}. Convert the values, or choose another dtype.`,
      { code: "INVALID_PARAMETER" },
    );
  const length = byteLength / array.BYTES_PER_ELEMENT;
  if (data.length !== length)
    throw new GradstepError(
      `Tensor ${show(name)} has ${data.length} values; expected ${length} for ${dtype} of shape ${show(shape)}.`,
      { code: "LENGTH_MISMATCH" },
    );
  return byteLength;
}

/** A tensor whose values are rounded to 16 bits when it is written. */
export interface RoundedEntry extends SafetensorsEntry {
  readonly dtype: "F16" | "BF16";
  readonly data: Float32Array | Float64Array;
}

export function isRounded(entry: SafetensorsEntry): entry is RoundedEntry {
  const { dtype, data } = entry;
  return (
    (dtype === "F16" || dtype === "BF16") &&
    (data instanceof Float32Array || data instanceof Float64Array)
  );
}

function headOf(json: string): Uint8Array<ArrayBuffer> {
  const text = new (platformClass("TextEncoder"))().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > maxHeaderLength)
    throw new GradstepError(
      `Got names and metadata for a header of ${length} bytes; expected at most ${maxHeaderLength}. Use shorter ones, and save long texts and lists of numbers as tensors.`,
      { code: "UNSUPPORTED" },
    );
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, 8);
  return head;
}
