import { GradstepError, show } from "@gradstep/core";
import { hasFixedMemory, isInstance } from "@gradstep/core/internal";
import { isZip, jsonOf, readArchive, weightsName, type Archive } from "./archive/archive.js";
import { readHdf5 } from "./hdf5/read-hdf5.js";
import { groupAt, type Hdf5Dataset, type Hdf5Group } from "./hdf5/hdf5-tree.js";
import { isTable } from "./model/model-config.js";
import { rejectLora } from "./model/reject-lora.js";
import { saveablesOf, type Saveable } from "./model/saveable.js";

/** What a `.keras` or `.weights.h5` file holds. */
export interface KerasFile {
  /** Undefined for a `.weights.h5` file. */
  readonly archive: Archive | undefined;
  readonly weights: Hdf5Group;
  readonly model: Saveable;
  /** What Keras's `serialize` returned for the optimizer; undefined if the file does not say. */
  readonly optimizer: unknown;
}

/** @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED` */
export async function openKerasFile(source: Uint8Array | ArrayBuffer | Blob): Promise<KerasFile> {
  const bytes = await bytesOf(source);
  const archive = isZip(bytes) ? readArchive(bytes) : undefined;
  const config = archive && jsonOf(archive, "config.json");
  const weightsBytes = archive === undefined ? bytes : archive.get(weightsName);
  if (weightsBytes === undefined) {
    throw new GradstepError(
      `The archive has no ${weightsName}; expected a .keras file as model.save writes it.`,
      { code: "INVALID_FILE" },
    );
  }
  const weights = await readHdf5(weightsBytes);
  if (weights.children.has("model_weights") || weights.children.has("layer_names")) {
    throw new GradstepError(
      "The file is an .h5 file of Keras 2, which names no optimizer variables that can be told apart; expected .keras or .weights.h5. Load it in Keras 3 and save it as .keras.",
      { code: "UNSUPPORTED" },
    );
  }
  if (!weights.children.has("vars") && !weights.children.has("layers")) {
    throw new GradstepError(
      `The HDF5 file has ${[...weights.children.keys()].join(", ") || "nothing"} in it; expected the groups vars and layers, as model.save_weights writes them.`,
      { code: "INVALID_FILE" },
    );
  }
  const model = isTable(config) ? config : undefined;
  rejectLora(model?.config);
  const compiled = model?.compile_config;
  return {
    archive,
    weights,
    model: saveablesOf(weights, model?.config),
    optimizer: isTable(compiled) ? (compiled.optimizer ?? undefined) : undefined,
  };
}

/** The group of the optimizer's variables, or of that in a `LossScaleOptimizer`. */
export function optimizerPath(isWrapped: boolean): string {
  return isWrapped ? "optimizer/inner_optimizer/vars" : "optimizer/vars";
}

/** The arrays `0`, `1`, … of a group. @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED` */
export function variablesAt(weights: Hdf5Group, path: string): readonly Hdf5Dataset[] {
  const group = groupAt(weights, path);
  return Array.from({ length: group?.children.size ?? 0 }, (_, i) => {
    const node = group!.children.get(String(i));
    if (node?.kind === "dataset") return node;
    if (node?.kind === "other dataset") {
      throw new GradstepError(
        `${path}/${i} has the type ${node.dtype}; expected float32 or float64. Train with variables of these types, as the policy mixed_float16 does.`,
        { code: "UNSUPPORTED" },
      );
    }
    throw new GradstepError(
      `${path} has no array ${i}; expected 0 to ${group!.children.size - 1}. The file is damaged.`,
      { code: "INVALID_FILE" },
    );
  });
}

/** Text of a file is decoded, which browsers do in memory of a fixed size only. */
function withFixedMemory(bytes: Uint8Array): Uint8Array {
  return hasFixedMemory(bytes) ? bytes : bytes.slice();
}

async function bytesOf(source: unknown): Promise<Uint8Array> {
  if (isInstance(source, Blob)) return new Uint8Array(await source.arrayBuffer());
  const isBuffer = isInstance(source, ArrayBuffer);
  // The buffer of an empty array may be one that was transferred, of which no other array can be made.
  if ((isBuffer || ArrayBuffer.isView(source)) && source.byteLength > 0)
    return withFixedMemory(
      isBuffer
        ? new Uint8Array(source)
        : new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
    );
  throw new GradstepError(
    `Got ${show(source)}; expected the bytes of a .keras or .weights.h5 file: a Uint8Array, an ArrayBuffer or a Blob.`,
    { code: "INVALID_FILE" },
  );
}
