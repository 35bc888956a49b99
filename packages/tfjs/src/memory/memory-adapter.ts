import type { HostTensor } from "@gradstep/core";
import { type Backend, type Tensor, type Values } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { engine, type KernelBackend, type Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { StepTensor } from "../step/step-tensor.js";

/** TF.js's identifier of a tensor's storage. */
export type DataId = object;

/** The memory of a TF.js backend in which gradstep's kernels can work without copies. */
export interface DirectMemory {
  /** Whether the storage may be changed: no other tensor, and no array outside of TF.js, has the same memory. */
  isExclusive(dataId: DataId): boolean;
  /** Binds `target` to a storage until the end of the step. TF.js must not move or free the storage in between. */
  bind(target: StepTensor, dataId: DataId): void;
  /** A new tensor in this memory with the values of a variable, which may be on any backend. */
  copyOf(variable: TfTensor): TfTensor;
  /** Called between the last `bind` of a step and its kernels. */
  flush?(): void;
  /** Must be called after values changed and before TF.js computes with them. */
  markChanged(dataId: DataId, size: number): void;
}

/** How the memory of one TF.js backend is used: gradstep's backend for the kernels, and the memory they work in. */
export interface MemoryAdapter {
  readonly compute: Backend;
  /** Left out where values have to be copied out and in. */
  readonly memory?: DirectMemory;
  /** The values of a tensor of `compute`, synchronously. @throws {GradstepError} `UNSUPPORTED` */
  readSync(tensor: Tensor): Values;
}

const host = cpuJs();

/** An adapter whose kernels are JavaScript. */
export function hostAdapter(memory?: DirectMemory): MemoryAdapter {
  return {
    compute: host,
    ...(memory !== undefined && { memory }),
    readSync: (tensor) => (tensor as HostTensor).view(),
  };
}

/** The adapter for backends whose memory cannot be reached: every step copies values out and in. */
export const copyAdapter: MemoryAdapter = hostAdapter();

/** The backend that holds a storage. It changes when another backend computes with the tensor. */
export function backendOf(dataId: DataId): KernelBackend | undefined {
  return engine().state.tensorInfo.get(dataId)?.backend;
}

/** A copy of a variable's values, as a tensor of a backend. */
export function copyThrough(variable: TfTensor, backend: KernelBackend): TfTensor {
  return engine().makeTensor(valuesOf(variable), variable.shape, "float32", backend);
}

/** A copy of a variable's values. `dataSync` may return the variable's own array, or integers that it was cast from. */
export function valuesOf(variable: TfTensor): Float32Array {
  return new Float32Array(variable.dataSync());
}
