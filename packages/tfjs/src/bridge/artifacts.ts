import { GradstepError, hasNames, show } from "@gradstep/core";
import { isArray, propertyOf } from "@gradstep/core/internal";
import { dispose, io, tidy, type NamedTensorMap, type serialization } from "@tensorflow/tfjs-core";
import type { ReadWeight } from "../state/read-weights.js";
import type { NamedTensor } from "../step/gradients.js";
import type { SavedOptimizer } from "./saved-optimizer.js";

/** What is in the artifacts of a saved model. */
export interface DecodedArtifacts {
  readonly modelWeights: readonly ReadWeight[];
  /** Undefined if the model was saved without its optimizer. */
  readonly optimizer: SavedOptimizer | undefined;
}

/** Decodes the weights of a saved model, and finds its optimizer. @throws {GradstepError} `INVALID_FILE` */
export async function decodeArtifacts(artifacts: io.ModelArtifacts): Promise<DecodedArtifacts> {
  const specs = specsOf(artifacts);
  const { trainingConfig } = artifacts;
  const weights = await decodeWeights(joined(artifacts.weightData!), specs);
  const ofGroup = (isOptimizer: boolean): ReadWeight[] =>
    weights.filter((_, i) => isOptimizerSpec(specs[i]) === isOptimizer);
  const modelWeights = ofGroup(false);
  if (trainingConfig === undefined || trainingConfig === null)
    return { modelWeights, optimizer: undefined };
  const optimizer = propertyOf(trainingConfig, "optimizer_config");
  const className = propertyOf(optimizer, "class_name");
  const config = propertyOf(optimizer, "config") as serialization.ConfigDict;
  if (typeof className !== "string" || !hasNames(config))
    return invalid(`optimizer_config is ${show(optimizer)}; expected class_name and config`);
  return { modelWeights, optimizer: { className, config, weights: ofGroup(true) } };
}

/** Artifacts with another optimizer. The model's weights stay as they are encoded. @throws {GradstepError} `INVALID_FILE` */
export async function withOptimizer(
  artifacts: io.ModelArtifacts,
  className: string,
  config: serialization.ConfigDict,
  weights: NamedTensor[],
): Promise<io.ModelArtifacts> {
  const specs = specsOf(artifacts);
  const first = specs.findIndex(isOptimizerSpec);
  const count = first < 0 ? specs.length : first;
  if (!specs.slice(count).every(isOptimizerSpec))
    return invalid("the optimizer's weights are between those of the model; expected them last");
  const { data, specs: added } = await io.encodeWeights(weights, "optimizer");
  const bytes = specs.slice(count).reduce((sum, spec) => sum + byteLengthOf(spec)!, 0);
  const model = joined(artifacts.weightData!);
  return {
    ...artifacts,
    trainingConfig: {
      ...artifacts.trainingConfig!,
      optimizer_config: { class_name: className, config },
    },
    weightSpecs: [...specs.slice(0, count), ...added],
    weightData: joined([model.slice(0, model.byteLength - bytes), data]),
  };
}

/**
 * The shards of the weights in one buffer. TF.js's own `CompositeArrayBuffer` gives zeros where the last shard is longer
 * than the others, and the wrong bytes for views of larger buffers.
 */
export function joined(shards: io.WeightData | ArrayBufferView): ArrayBuffer {
  const list: readonly unknown[] = isArray(shards) ? shards : [shards];
  const parts = list.map(bytesOf);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes.buffer;
}

/** @throws {GradstepError} `INVALID_FILE` */
function bytesOf(part: unknown): Uint8Array {
  try {
    if (ArrayBuffer.isView(part))
      return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    // By its tag: a buffer may be shared, or come from another realm.
    if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(part)))
      return new Uint8Array(part as ArrayBuffer);
  } catch {
    // It is detached, or cannot be read.
  }
  return invalid(`weightData is ${show(part)}; expected an ArrayBuffer, or a list of them`);
}

function isOptimizerSpec({ group }: io.WeightsManifestEntry): boolean {
  return group === "optimizer";
}

function specsOf(artifacts: io.ModelArtifacts): readonly io.WeightsManifestEntry[] {
  const specs = propertyOf(artifacts, "weightSpecs");
  const data = propertyOf(artifacts, "weightData");
  if (!isArray(specs) || data === undefined || data === null)
    return invalid(
      `weightSpecs is ${show(specs)} and weightData ${show(data)}; expected those of a LayersModel that was saved with its weights`,
    );
  for (const spec of specs) {
    const [name, shape, dtype] = ["name", "shape", "dtype"].map((key) => propertyOf(spec, key));
    if (typeof name !== "string" || !isShape(shape) || typeof dtype !== "string")
      return invalid(
        `a weight has the name ${show(name)}, the shape ${show(shape)} and the dtype ${show(dtype)}; expected text, a list of integers from 0, and text`,
      );
  }
  return specs as readonly io.WeightsManifestEntry[];
}

function isShape(shape: unknown): boolean {
  return isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && Number(size) >= 0);
}

/** Undefined where the length is not known without the data. */
function byteLengthOf(spec: io.WeightsManifestEntry): number | undefined {
  const sizes: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };
  if (spec.quantization !== undefined || !Object.hasOwn(sizes, spec.dtype)) return undefined;
  return spec.shape.reduce((product, size) => product * size, sizes[spec.dtype]);
}

async function decodeWeights(
  data: ArrayBuffer,
  specs: readonly io.WeightsManifestEntry[],
): Promise<ReadWeight[]> {
  const lengths = specs.map(byteLengthOf);
  const got = data.byteLength;
  const expected = lengths.reduce<number>((sum, length) => sum + (length ?? NaN), 0);
  if (got !== expected && !Number.isNaN(expected))
    return invalid(
      `there are ${got} bytes of weights; expected ${expected}: the file is cut off, or belongs to another model.json`,
    );
  // TF.js decodes into a table by name, in which of two weights of one name only the last is left.
  const numbered = specs.map((spec, i) => ({ ...spec, name: String(i) }));
  let decoded: NamedTensorMap;
  try {
    decoded = tidy(() => io.decodeWeights(data, numbered));
  } catch (cause) {
    throw new GradstepError(
      `The model's weights cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}. Use another file.`,
      { code: "INVALID_FILE", cause },
    );
  }
  try {
    return await Promise.all(
      specs.map(async ({ name, shape }, i) => ({
        name,
        shape,
        values: (await decoded[i].data<"float32">()).slice(),
      })),
    );
  } finally {
    dispose(decoded);
  }
}

function invalid(what: string): never {
  throw new GradstepError(`The artifacts of the model are broken: ${what}. Use another file.`, {
    code: "INVALID_FILE",
  });
}
