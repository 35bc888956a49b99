import { GradstepError, show } from "@gradstep/core";
import { byteLengthOf, dtypes, isDtype, type Dtype } from "./dtypes.js";
import { JsonCursor } from "./json-cursor.js";

/** The longest header, in bytes. `safetensors` itself takes 100 MB. */
export const maxHeaderLength = 16 * 2 ** 20;

/** The largest number of tensors in a file. */
export const maxTensors = 100_000;

/** The key of the metadata, among the names of tensors. */
export const metadataKey = "__metadata__";

/** Where a tensor is in a file. */
export interface SafetensorsLayout {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What a file says of itself before its data. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsLayout>;
  /** Where the data begins, from the start of the file. */
  readonly dataStart: number;
}

/**
 * Parses and checks a header: the tensors lie one after the other, without overlap or hole, and end with the file. All work
 * and memory is proportional to the length of the text.
 * @param dataStart where the data starts in the file
 * @param size bytes of the file
 * @throws {GradstepError} `INVALID_FILE`
 */
export function parseHeader(text: string, dataStart: number, size: number): SafetensorsHeader {
  const json = new JsonCursor(text);
  const tensors = new Map<string, SafetensorsLayout>();
  let metadata: ReadonlyMap<string, string> | undefined;
  json.expect("{");
  for (let isFirst = true; json.hasNext("}", isFirst); isFirst = false) {
    const name = json.string();
    json.expect(":");
    if (name === metadataKey) {
      if (metadata !== undefined) throw invalid(`The header has ${metadataKey} twice`);
      metadata = json.skip("null") ? new Map() : parseMetadata(json);
    } else {
      if (tensors.has(name)) throw invalid(`The header has tensor ${show(name)} twice`);
      if (tensors.size === maxTensors)
        throw invalid(`The header has more than ${maxTensors} tensors`);
      tensors.set(name, parseLayout(json, name, dataStart));
    }
  }
  json.expectEnd();
  return {
    metadata: metadata ?? new Map(),
    tensors: inFileOrder(tensors, dataStart, size),
    dataStart,
  };
}

function parseMetadata(json: JsonCursor): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  json.expect("{");
  for (let isFirst = true; json.hasNext("}", isFirst); isFirst = false) {
    const key = json.string();
    json.expect(":");
    if (metadata.has(key)) throw invalid(`The metadata has ${show(key)} twice`);
    metadata.set(key, json.string());
  }
  return metadata;
}

function parseLayout(json: JsonCursor, name: string, dataStart: number): SafetensorsLayout {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.expect("{");
  for (let isFirst = true; json.hasNext("}", isFirst); isFirst = false) {
    const field = json.string();
    json.expect(":");
    if (field === "dtype" && dtype === undefined) dtype = json.string();
    else if (field === "shape" && shape === undefined) shape = parseIntegers(json);
    else if (field === "data_offsets" && offsets === undefined) offsets = parseIntegers(json);
    else
      throw invalid(
        `Tensor ${show(name)} has the field ${show(field)}; expected "dtype", "shape" and "data_offsets", each once`,
      );
  }
  if (dtype === undefined || shape === undefined || offsets === undefined)
    throw invalid(
      `Tensor ${show(name)} lacks "dtype", "shape" or "data_offsets"; expected all three`,
    );
  if (!isDtype(dtype))
    throw invalid(
      `Tensor ${show(name)} has dtype ${show(dtype)}; expected one of ${dtypes.join(", ")}`,
    );
  const [start, end] = offsets;
  if (offsets.length !== 2 || start > end)
    throw invalid(
      `Tensor ${show(name)} has data_offsets ${show(offsets)}; expected its start and its end`,
    );
  const byteLength = byteLengthOf(dtype, shape);
  if (byteLength !== end - start)
    throw invalid(
      `Tensor ${show(name)} has ${end - start} bytes; expected ${byteLength ?? "whole bytes, up to 2^53 − 1 bits"} for ${dtype} of shape ${show(shape)}`,
    );
  return { dtype, shape, byteOffset: dataStart + start, byteLength };
}

function parseIntegers(json: JsonCursor): number[] {
  const integers: number[] = [];
  json.expect("[");
  for (let isFirst = true; json.hasNext("]", isFirst); isFirst = false)
    integers.push(json.integer());
  return integers;
}

function inFileOrder(
  tensors: ReadonlyMap<string, SafetensorsLayout>,
  dataStart: number,
  size: number,
): Map<string, SafetensorsLayout> {
  const sorted = [...tensors].sort(
    ([, a], [, b]) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength,
  );
  let end = dataStart;
  for (const [name, { byteOffset, byteLength }] of sorted) {
    if (byteOffset !== end)
      throw invalid(
        `Tensor ${show(name)} starts at byte ${byteOffset}; expected ${end}, where the one before it ends`,
      );
    end += byteLength;
  }
  if (end !== size) throw invalid(`The file has ${size} bytes; expected ${end} for its tensors`);
  return new Map(sorted);
}

function invalid(message: string): GradstepError {
  return new GradstepError(`${message}. The file is damaged, or was not written by safetensors.`, {
    code: "INVALID_FILE",
  });
}
