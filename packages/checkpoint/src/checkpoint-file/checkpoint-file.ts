import { GradstepError, show, type Values } from "@gradstep/core";
import { isArray, propertyOf } from "@gradstep/core/internal";
import {
  encodeSafetensors,
  floatValues,
  readSafetensorsHeader,
  type DecodeOptions,
  type EncodeOptions,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsSource,
} from "../safetensors/index.js";
import { checkIoOptions } from "../check-io-options.js";
import { decodeInto } from "../safetensors/decode.js";
import { arrayDtype } from "../safetensors/dtypes.js";
import { maxHeaderLength } from "../safetensors/header.js";
import { checkReader } from "../bridges/check-reader.js";
import type { ByteSource } from "../stores/store.js";
import type { Checkpoint } from "./checkpoint.js";
import { tensorMemory, type CheckpointMemory } from "./checkpoint-memory.js";
import { fromJson, toJson } from "./plain-data.js";

/** How the slots of an optimizer are stored. Other values keep their type. */
export type SlotType = "f32" | "bf16" | "f16";

const slotTypes: readonly SlotType[] = ["f32", "bf16", "f16"];

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function checkSlotType(what: string, slots: unknown): void {
  if (slotTypes.includes(slots as SlotType)) return;
  throw new GradstepError(
    `${what}: slots is ${show(slots)}; expected ${slotTypes.map(show).join(" or ")}.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}

/** Options of `encodeCheckpoint`. */
export interface CheckpointEncodeOptions extends Pick<EncodeOptions, "signal" | "onProgress"> {
  /**
   * `"bf16"` and `"f16"` halve the size of f32 slots and lose bits: training does not continue with the same bits. f16 has
   * no values below 6e-8, which second moments often are. `"f32"` if left out: every value as it is, f64 included.
   */
  readonly slots?: SlotType | undefined;
}

/** Options of `decodeCheckpoint`. */
export type CheckpointDecodeOptions = Pick<DecodeOptions, "signal" | "onProgress">;

const version = "1";

/**
 * A checkpoint as a safetensors file with a digest, in chunks. The arrays of the checkpoint must not change until the last
 * chunk was taken; chunks share their memory where they can.
 *
 * Tensors are named by their path: `parameters/<name>`, `optimizer/slots/<name>/<slot>`. The metadata has `format`
 * `"gradstep"`, `version`, and in `checkpoint` everything else as JSON, with `{"$array": <tensor>}` in place of arrays.
 *
 * @throws {GradstepError} `UNSUPPORTED` for data that is not plain, `INVALID_HYPERPARAMETER` for another type of slots
 * and a wrong signal, `UNKNOWN_OPTION`, `INVALID_PARAMETER` for what is no checkpoint
 */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  options: CheckpointEncodeOptions = {},
): AsyncGenerator<Uint8Array> {
  checkIoOptions("encodeCheckpoint", options, ["slots", "signal", "onProgress"]);
  const { slots = "f32", signal, onProgress } = options;
  checkSlotType("encodeCheckpoint", slots);
  if (
    // Also false for a proxy that was revoked.
    !isTable(propertyOf(checkpoint, "optimizer")) ||
    !isTable(checkpoint) ||
    !isTable(checkpoint.optimizer) ||
    !isTable(checkpoint.optimizer.shapes) ||
    !isTable(checkpoint.parameters) ||
    !isTable(checkpoint.others)
  )
    throw new GradstepError(
      `encodeCheckpoint: got ${show(checkpoint)}; expected { parameters, optimizer, others }, with the values of the parameters and what optimizer.state() resolved to.`,
      { code: "INVALID_PARAMETER" },
    );
  for (const [name, one] of Object.entries(checkpoint.parameters))
    if (!isParameter(one))
      throw new GradstepError(
        `encodeCheckpoint: parameter ${show(name)} is ${show(one)}; expected { shape, values }, with a Float32Array or Float64Array of as many values as the shape has.`,
        { code: "INVALID_PARAMETER" },
      );
  const { shapes } = checkpoint.optimizer;
  const tensors = new Map<string, SafetensorsEntry>();
  const place = (array: ArrayBufferView, path: readonly string[]): string => {
    const dtype = arrayDtype(array);
    if (dtype === undefined)
      throw new GradstepError(
        `${path.join(".")} cannot be stored: got ${show(array)}; expected a typed array of floats or integers.`,
        { code: "UNSUPPORTED" },
      );
    const data = array as Values;
    const isSlot = path[0] === "optimizer" && path[1] === "slots";
    const name = path[0] === "parameters" ? path[1] : isSlot ? path[2] : undefined;
    const shape = (name !== undefined && shapeOf(name, data.length)) || [data.length];
    const key = freeKey(tensors, path[0] === "parameters" ? path.slice(0, 2) : path);
    const isHalf = isSlot && slots !== "f32" && (dtype === "F32" || dtype === "F64");
    tensors.set(key, { dtype: isHalf ? (slots === "bf16" ? "BF16" : "F16") : dtype, shape, data });
    return key;
  };
  /** The shape of a parameter if it has this number of values, as its parameter and most slots have. */
  const shapeOf = (name: string, length: number): readonly number[] | undefined => {
    const known = [checkpoint.parameters, shapes].map((table) =>
      Object.hasOwn(table, name) ? table[name] : undefined,
    );
    const shape: unknown = known[0]?.shape ?? known[1];
    if (!Array.isArray(shape)) return undefined;
    const sizes = shape as readonly number[];
    return sizes.reduce((product, size) => product * size, 1) === length ? sizes : undefined;
  };
  const { parameters, optimizer, others } = checkpoint;
  const json = textOf(toJson({ parameters, optimizer, others }, place));
  const metadata = new Map([
    ["format", "gradstep"],
    ["version", version],
    ["checkpoint", json],
  ]);
  return encodeSafetensors(tensors, { metadata, digest: true, signal, onProgress });
}

/** @throws {GradstepError} `UNSUPPORTED` for more than a header can have */
function textOf(data: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (error) {
    // Longer than a string can be.
    if (!(error instanceof RangeError)) throw error;
  }
  if (text !== undefined && text.length <= maxHeaderLength) return text;
  throw new GradstepError(
    `What is not in typed arrays has ${text === undefined ? "too many" : text.length} characters as JSON; expected at most ${maxHeaderLength}. Keep long lists of numbers in typed arrays, such as a Float64Array, which are stored as tensors.`,
    { code: "UNSUPPORTED" },
  );
}

/** A path as a key; two paths with the same text get different ones. */
function freeKey(taken: ReadonlyMap<string, unknown>, path: readonly string[]): string {
  const text = path.join("/");
  let key = text;
  for (let i = 2; taken.has(key); i += 1) key = `${text}#${i}`;
  return key;
}

/**
 * Reads what `encodeCheckpoint` wrote, and checks its digest. Slots of 16 bits become f32.
 *
 * @throws {GradstepError} `INVALID_FILE` (damaged, cut off, or no checkpoint), `UNSUPPORTED` (made by a later version)
 */
export async function decodeCheckpoint(
  source: ByteSource | Uint8Array | ArrayBuffer,
  options: CheckpointDecodeOptions = {},
): Promise<Checkpoint> {
  checkIoOptions("decodeCheckpoint", options, ["signal", "onProgress"]);
  return decodeCheckpointInto(source, options, undefined);
}

/**
 * The same, into the memory of a checkpoint that is no longer needed: memory that is new to a process is slow to write to.
 * @param reuse what it holds afterwards is undefined if it throws
 */
export async function decodeCheckpointInto(
  source: ByteSource | Uint8Array | ArrayBuffer,
  options: CheckpointDecodeOptions,
  reuse: CheckpointMemory | undefined,
): Promise<Checkpoint> {
  const { metadata, tensors } = await decode(source, options, reuse);
  if (!isCheckpoint(metadata)) foreignFile(metadata);
  if (metadata.get("version") !== version)
    throw new GradstepError(
      `The checkpoint has version ${show(metadata.get("version"))}; this version of gradstep reads ${version}. Update @gradstep/checkpoint.`,
      { code: "UNSUPPORTED" },
    );
  const arrayOf = (key: string): unknown => {
    const entry = tensors.get(key);
    if (entry === undefined) return invalid(`lacks the tensor ${show(key)}`);
    return entry.dtype === "BF16" || entry.dtype === "F16" ? floatValues(entry) : entry.data;
  };
  const data = fromJson(parsed(metadata.get("checkpoint")!), arrayOf);
  const { parameters, optimizer, others } = (data ?? {}) as Partial<Checkpoint>;
  if (!isTable(parameters) || !isTable(optimizer) || !isTable(others))
    return invalid("lacks parameters, optimizer or others");
  for (const [name, one] of Object.entries(parameters))
    if (!isParameter(one))
      invalid(`has a parameter ${show(name)} whose shape and values do not belong together`);
  return { parameters, optimizer, others };
}

function isCheckpoint(metadata: SafetensorsFile["metadata"]): boolean {
  return metadata.get("format") === "gradstep" && metadata.has("checkpoint");
}

function foreignFile(metadata: SafetensorsFile["metadata"], cause?: unknown): never {
  checkReader("decodeCheckpoint", metadata, cause);
  throw new GradstepError(
    "The file is a safetensors file, but no checkpoint of gradstep; expected one, or read it with a bridge such as readTorch, or with decodeSafetensors.",
    { code: "INVALID_FILE", cause },
  );
}

async function decode(
  source: SafetensorsSource,
  options: CheckpointDecodeOptions,
  reuse: CheckpointMemory | undefined,
): Promise<SafetensorsFile> {
  try {
    return await decodeInto(source, { ...options, digest: "require" }, tensorMemory(reuse));
  } catch (error) {
    if (!(error instanceof GradstepError) || error.code !== "INVALID_FILE") throw error;
    // Files of other libraries have no digest either, and are not damaged.
    const { signal } = options;
    const header = await readSafetensorsHeader(source, { signal }).catch(() => undefined);
    if (header !== undefined && !isCheckpoint(header.metadata)) foreignFile(header.metadata, error);
    throw error;
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return invalid("has metadata that is not JSON");
  }
}

function isParameter(one: unknown): boolean {
  const shape = propertyOf(one, "shape");
  const values = propertyOf(one, "values");
  const isList =
    Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  const isFloats = values instanceof Float32Array || values instanceof Float64Array;
  return (
    isList &&
    isFloats &&
    (shape as number[]).reduce((product, size) => product * size, 1) === values.length
  );
}

function isTable(value: unknown): value is Readonly<Record<string, never>> {
  const isList = isArray(value) || ArrayBuffer.isView(value);
  return value !== null && typeof value === "object" && !isList;
}

function invalid(what: string): never {
  throw new GradstepError(`The file ${what}. Use another checkpoint.`, { code: "INVALID_FILE" });
}
