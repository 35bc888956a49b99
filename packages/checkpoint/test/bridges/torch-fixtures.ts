import { readdirSync, readFileSync } from "node:fs";
import {
  createOptimizer,
  GradstepError,
  type OptimizerMethods,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { type TorchCheckpoint, type TorchSource } from "../../src/bridges/torch/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
} from "../../src/safetensors/index.js";

export const folder = new URL("../fixtures/torch/", import.meta.url);
export const read = (name: string): Buffer => readFileSync(new URL(name, folder));
export const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  // Chunks may be overwritten by the next one.
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Uint8Array(Buffer.concat(parts));
}

export async function failureOf(promise: Promise<unknown>): Promise<GradstepError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GradstepError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

interface Run {
  readonly optimizer: OptimizerMethods<string>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export function resume({ spec, parameters, state }: TorchCheckpoint): Run {
  const isDouble = Object.values(parameters).every(({ values }) => values instanceof Float64Array);
  const backend = isDouble ? oracle() : reference();
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, one]) => [name, backend.tensor(one.shape, one.values)]),
  );
  const optimizer = createOptimizer(spec, tensors) as OptimizerMethods<string>;
  optimizer.restore(state);
  return { optimizer, tensors };
}

export async function sourceOf({ optimizer, tensors }: Run): Promise<TorchSource> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) => [
    name,
    { shape: tensor.shape, values: await tensor.read() },
  ]);
  return {
    config: optimizer.config(),
    state: await optimizer.state(),
    parameters: Object.fromEntries(await Promise.all(entries)) as TorchSource["parameters"],
  };
}

/** The tensors, without the type of counts: PyTorch counts in its default type. */
export function arraysOf(tensors: ReadonlyMap<string, SafetensorsEntry>): Record<string, unknown> {
  return Object.fromEntries(
    [...tensors].map(([key, entry]) => [
      key,
      key.endsWith(".step") ? Number(entry.data[0]) : entry,
    ]),
  );
}

/** A run of one step, of two parameters. */
export async function trained(spec: OptimizerSpec): Promise<TorchSource> {
  const backend = reference();
  const tensors = { w: backend.tensor([2, 2], [1, 2, 3, 4]), b: backend.tensor([2], [1, 2]) };
  const optimizer = createOptimizer(spec, tensors) as OptimizerMethods<string>;
  optimizer.step({ w: Float32Array.of(1, 2, 3, 4), b: Float32Array.of(1, 2) });
  return sourceOf({ optimizer, tensors });
}

/** A file with something changed. */
export async function changed(
  name: string,
  describe: (description: Record<string, unknown>) => unknown,
  change: (tensors: Map<string, SafetensorsEntry>) => void = () => {},
): Promise<Uint8Array> {
  const { metadata, tensors } = await decodeSafetensors(read(name));
  const description = JSON.parse(metadata.get("optimizer")!) as Record<string, unknown>;
  const copy = new Map(tensors);
  change(copy);
  const text = JSON.stringify(describe(description));
  return bytesOf(
    encodeSafetensors(copy, {
      metadata: text === undefined ? new Map() : new Map([["optimizer", text]]),
    }),
  );
}
