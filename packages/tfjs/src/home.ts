import type { Backend, HostTensor, Tensor, Values } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { engine, type KernelBackend, type Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { StepTensor } from "./step-tensor.js";

/** TF.js's handle of a tensor's storage. */
export type DataId = object;

/** The memory of a TF.js backend, where gradstep can compute in it without a copy. */
export interface DirectMemory {
  /** Whether nothing but this one tensor can see the storage, so that it may be changed. */
  isExclusive(dataId: DataId): boolean;
  /** Lets `target` stand for a storage, until the end of the step. Nothing of TF.js's moves until then. */
  place(target: StepTensor, dataId: DataId): void;
  /** A new tensor in this memory with the values of a variable, which may lie anywhere. */
  copyOf(variable: TfTensor): TfTensor;
  /** Called between the last `place` of a step and its kernels, where something has to be done by then. */
  flush?(): void;
  /** Has to be called after values were changed, before TF.js computes with them. */
  changed(dataId: DataId, size: number): void;
}

/** Where a step is taken: gradstep's backend, and the memory of TF.js's that it works in. */
export interface Home {
  readonly compute: Backend;
  /** Left out where values have to be copied out and in. */
  readonly memory?: DirectMemory;
  /** The values of one of `compute`'s tensors, at once. @throws {GradstepError} `UNSUPPORTED` */
  readSync(tensor: Tensor): Values;
}

const host = cpuJs();

/** A home whose values JavaScript sees, in TF.js's memory or beside it. */
export function hostHome(memory?: DirectMemory): Home {
  return {
    compute: host,
    ...(memory === undefined ? {} : { memory }),
    readSync: (tensor) => (tensor as HostTensor).view(),
  };
}

/** The home for backends whose memory is out of reach. */
export const elsewhere: Home = hostHome();

/** The backend that holds a storage now: TF.js moves it when another backend computes with it. */
export function backendOf(dataId: DataId): KernelBackend | undefined {
  return engine().state.tensorInfo.get(dataId)?.backend;
}

/** A copy of a variable's values, as a tensor of a backend. */
export function copyThrough(variable: TfTensor, backend: KernelBackend): TfTensor {
  return engine().makeTensor(valuesOf(variable), variable.shape, "float32", backend);
}

/** A copy of a variable's values. Read from tfjs-cpu, they are the variable's own, or the integers that it was cast from. */
export function valuesOf(variable: TfTensor): Float32Array {
  return new Float32Array(variable.dataSync());
}
