import { engine, type KernelBackend } from "@tensorflow/tfjs-core";
import { cpuMemory } from "./cpu-memory.js";
import { wasmMemory } from "./wasm-memory.js";

/** TF.js's handle of a tensor's storage. */
export type DataId = object;

/** The memory of a TF.js backend, where JavaScript can work in it without a copy. */
export interface DirectMemory {
  /** Whether nothing but this one tensor can see the storage, so that it may be changed. */
  isExclusive(dataId: DataId): boolean;
  /** The values themselves. Good only until TF.js allocates, which may move them. */
  view(dataId: DataId, size: number): Float32Array;
  /** Has to be called after values were changed, before TF.js computes with them. */
  changed(dataId: DataId, size: number): void;
}

const known = new WeakMap<KernelBackend, DirectMemory | null>();

/** The direct memory of a backend, or undefined where values have to be copied in and out. */
export function directMemory(backend: KernelBackend): DirectMemory | undefined {
  let memory = known.get(backend);
  if (memory === undefined) {
    const { registry } = engine();
    // By name and by shape: the storage of other backends may look alike and be a mere cache.
    if (registry["cpu"] === backend) memory = cpuMemory(backend) ?? null;
    else if (registry["wasm"] === backend) memory = wasmMemory(backend) ?? null;
    else memory = null;
    known.set(backend, memory);
  }
  return memory ?? undefined;
}

/** Looks at the backends that exist, so that what is shared from now on is known when the first step comes. */
export function watchBackends(): void {
  for (const backend of Object.values(engine().registry)) directMemory(backend);
}

/** The backend that holds a storage now: TF.js moves it when another backend computes with it. */
export function backendOf(dataId: DataId): KernelBackend | undefined {
  return engine().state.tensorInfo.get(dataId)?.backend;
}
