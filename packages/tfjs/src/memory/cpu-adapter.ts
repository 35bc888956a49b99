import type { Values } from "@gradstep/core";
import type { DataType, KernelBackend } from "@tensorflow/tfjs-core";
import { copyThrough, hostAdapter, type DataId, type MemoryAdapter } from "./memory-adapter.js";

/** The members of TF.js's cpu backend that are used. */
interface CpuBackend {
  readonly data: { get(dataId: DataId): { readonly values: unknown } };
  refCount(dataId: DataId): number;
  write(values: unknown, shape: readonly number[], dtype: DataType): DataId;
  readSync(dataId: DataId): unknown;
  bufferSync(tensor: unknown): unknown;
}

/**
 * The typed arrays of TF.js's cpu backend.
 *
 * Its tensors share memory in ways that TF.js's reference count does not show: `tf.tensor(array)` keeps the caller's
 * array, `dataSync` returns the array itself, and `slice`, `split` and `unstack` make tensors on parts of it. So a
 * variable is changed in place only in an array that this adapter allocated (`copyOf`) and nobody else has seen since.
 */
export function cpuAdapter(backend: KernelBackend): MemoryAdapter | undefined {
  if (!isCpuBackend(backend)) return undefined;
  const exclusive = watchExclusiveBuffers(backend);
  const valuesOf = (dataId: DataId): unknown => backend.data.get(dataId).values;
  return hostAdapter({
    isExclusive(dataId) {
      const values = valuesOf(dataId);
      return (
        values instanceof Float32Array &&
        exclusive.has(values.buffer) &&
        backend.refCount(dataId) === 1
      );
    },
    bind(target, dataId) {
      const values = valuesOf(dataId);
      const isPlain = values instanceof Float32Array && values.length === target.size;
      const read = (): Float32Array => Float32Array.from(backend.readSync(dataId) as Values);
      target.stage(isPlain ? values : read());
    },
    copyOf(variable) {
      const copy = copyThrough(variable, backend);
      exclusive.add((valuesOf(copy.dataId) as Float32Array).buffer);
      return copy;
    },
    markChanged() {
      // Kernels read the array itself.
    },
  });
}

function isCpuBackend(backend: unknown): backend is CpuBackend {
  const { data, refCount, write, readSync, bufferSync } = backend as Partial<CpuBackend>;
  return (
    typeof data?.get === "function" &&
    [refCount, write, readSync, bufferSync].every((method) => typeof method === "function")
  );
}

/**
 * A set of buffers from which a buffer is removed once a second reader gets hold of it: a tensor that is made on it or
 * on a part of it (`write`), or a caller who reads it (`readSync`).
 */
function watchExclusiveBuffers(backend: CpuBackend): WeakSet<ArrayBufferLike> {
  const exclusive = new WeakSet<ArrayBufferLike>();
  let insideKernel = false;
  const write = backend.write.bind(backend);
  const readSync = backend.readSync.bind(backend);
  const bufferSync = backend.bufferSync.bind(backend);

  backend.write = (values, shape, dtype) => {
    if (ArrayBuffer.isView(values)) exclusive.delete(values.buffer);
    return write(values, shape, dtype);
  };
  backend.readSync = (dataId) => {
    const values = readSync(dataId);
    if (!insideKernel && ArrayBuffer.isView(values)) exclusive.delete(values.buffer);
    return values;
  };
  // Kernels read through this method and keep nothing.
  backend.bufferSync = (tensor) => {
    insideKernel = true;
    try {
      return bufferSync(tensor);
    } finally {
      insideKernel = false;
    }
  };
  return exclusive;
}
