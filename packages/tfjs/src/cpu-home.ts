import type { Values } from "@gradstep/core";
import type { DataType, KernelBackend } from "@tensorflow/tfjs-core";
import { copyThrough, hostHome, type DataId, type Home } from "./home.js";

/** What is used of TF.js's cpu backend. */
interface CpuBackend {
  readonly data: { get(dataId: DataId): { readonly values: unknown } };
  refCount(dataId: DataId): number;
  write(values: unknown, shape: readonly number[], dtype: DataType): DataId;
  move(dataId: DataId, values: unknown, ...rest: unknown[]): void;
  readSync(dataId: DataId): unknown;
  bufferSync(tensor: unknown): unknown;
}

/** The typed arrays of TF.js's cpu backend. */
export function cpuHome(backend: KernelBackend): Home | undefined {
  if (!isCpuBackend(backend)) return undefined;
  const isShared = watchSharing(backend);
  const valuesOf = (dataId: DataId): unknown => backend.data.get(dataId).values;
  return hostHome({
    isExclusive(dataId) {
      const values = valuesOf(dataId);
      return (
        backend.refCount(dataId) === 1 &&
        values instanceof Float32Array &&
        // A part of a longer array: a slice of another tensor.
        values.byteLength === values.buffer.byteLength &&
        !isShared(values.buffer)
      );
    },
    place(target, dataId) {
      const values = valuesOf(dataId);
      const isPlain = values instanceof Float32Array && values.length === target.size;
      const read = (): Float32Array => Float32Array.from(backend.readSync(dataId) as Values);
      target.stage(isPlain ? values : read());
    },
    copyOf: (variable) => copyThrough(variable, backend),
    changed() {
      // Kernels read the array itself.
    },
  });
}

function isCpuBackend(backend: unknown): backend is CpuBackend {
  const { data, refCount, write, move, readSync, bufferSync } = backend as Partial<CpuBackend>;
  return (
    typeof data?.get === "function" &&
    [refCount, write, move, readSync, bufferSync].every((method) => typeof method === "function")
  );
}

/**
 * The reference count knows of clones and reshapes only. On this backend a storage has other readers, too: `dataSync`
 * hands out the array itself, and `slice`, `split` and `unstack` make tensors on parts of it. From now on they are
 * noted; a storage that has any is left as it is and the variable gets a new one.
 */
function watchSharing(backend: CpuBackend): (buffer: ArrayBufferLike) => boolean {
  const seen = new WeakSet<ArrayBufferLike>();
  const shared = new WeakSet<ArrayBufferLike>();
  let insideKernel = false;
  const write = backend.write.bind(backend);
  const move = backend.move.bind(backend);
  const readSync = backend.readSync.bind(backend);
  const bufferSync = backend.bufferSync.bind(backend);

  backend.write = (values, shape, dtype) => {
    if (values instanceof Float32Array) {
      const { buffer } = values;
      if (seen.has(buffer)) shared.add(buffer);
      else seen.add(buffer);
    }
    return write(values, shape, dtype);
  };
  // What comes from another backend may be what that one handed out.
  backend.move = (dataId, values, ...rest) => {
    if (values instanceof Float32Array) shared.add(values.buffer);
    move(dataId, values, ...rest);
  };
  backend.readSync = (dataId) => {
    const values = readSync(dataId);
    if (!insideKernel && values instanceof Float32Array) shared.add(values.buffer);
    return values;
  };
  // Kernels read through this one, and keep nothing.
  backend.bufferSync = (tensor) => {
    insideKernel = true;
    try {
      return bufferSync(tensor);
    } finally {
      insideKernel = false;
    }
  };
  return (buffer) => {
    seen.add(buffer);
    return shared.has(buffer);
  };
}
