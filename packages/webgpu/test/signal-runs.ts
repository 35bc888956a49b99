import {
  createOptimizer,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { bufferOf } from "./gpu.js";
import { Random } from "./random.js";

export const shapes = { w: [7, 5], b: [3], s: [] } as const;
export const names = ["w", "b", "s"] as const;
type Arrays = Record<(typeof names)[number], Float32Array>;

export function arrays(random: Random, factor = 1): Arrays {
  const values = (length: number): Float32Array =>
    Float32Array.from({ length }, () => factor * (2 * random.unit() - 1));
  return { w: values(35), b: values(3), s: values(1) };
}

interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

export function start(backend: WebGpu, spec: OptimizerSpec, options: OptimizerOptions = {}): Run {
  const initial = arrays(new Random(5));
  const parameters = Object.fromEntries(
    names.map((name) => [name, backend.tensor(shapes[name], initial[name])]),
  );
  return { optimizer: createOptimizer(spec, parameters, options), parameters };
}

export function bits(values: ArrayLike<number>): readonly number[] {
  return [...new Uint32Array(Float32Array.from(values).buffer)];
}

/** All bits that a step may change. */
export async function bitsOf({ optimizer, parameters }: Run): Promise<unknown> {
  const state = await optimizer.state();
  const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
  return {
    slots: Object.values(state.slots).flatMap((slots) => Object.values(slots).map(bits)),
    values: values.map(bits),
  };
}

/** A scale, a flag and a rate in one buffer, at offsets that no binding can start at. */
export function signalsOn(device: GPUDevice, backend: WebGpu) {
  const buffer = bufferOf(device, new Float32Array(128));
  const wrap = (offset: number, dtype: "f32" | "u32"): Tensor =>
    backend.wrap(buffer, { shape: [1], offset, dtype });
  return {
    buffer,
    scale: wrap(65, "f32"),
    skip: wrap(66, "u32"),
    rate: wrap(67, "f32"),
    otherRate: wrap(3, "f32"),
    write: (offset: number, value: number, isInteger = false): void =>
      device.queue.writeBuffer(
        buffer,
        4 * offset,
        isInteger ? Uint32Array.of(value) : Float32Array.of(value),
      ),
  };
}

export const scaledBy = (all: Arrays, scale: number): Arrays =>
  Object.fromEntries(
    names.map((name) => [name, all[name].map((value) => Math.fround(value * scale))]),
  ) as Arrays;

export const steps = 4;
export const countingRows: OptimizerOptions = {
  groups: [{ match: "w", sparse: "lazy", rowSteps: true }],
};
