import { GradstepError, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import type { GPUData, KernelBackend } from "@tensorflow/tfjs-core";
import {
  backendOf,
  copyThrough,
  type DataId,
  type DirectMemory,
  type MemoryAdapter,
} from "./memory-adapter.js";

/** What TF.js's webgpu backend records about a storage. */
interface TensorData {
  /** A copy in JavaScript memory; the only values as long as nothing was uploaded. */
  values: unknown;
  /** A GPUBuffer once there is one, or a texture for images. */
  readonly resource?: unknown;
  /** Whether the buffer is owned by the caller. */
  readonly external?: boolean;
}

/** The members of TF.js's webgpu backend that are used. */
interface WebGpuBackend extends KernelBackend {
  readonly device: GPUDevice;
  readonly tensorMap: { get(dataId: DataId): TensorData };
  readonly commandEncoder: GPUCommandEncoder | null;
  uploadToGPU(dataId: DataId): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  readToGPU(dataId: DataId): GPUData;
  read(dataId: DataId): Promise<never>;
  convertAndCacheOnCPU(dataId: DataId, values: unknown): unknown;
}

/** The buffers of TF.js's webgpu backend, on its own device. */
export function webgpuAdapter(backend: KernelBackend): MemoryAdapter | undefined {
  if (!isWebGpuBackend(backend)) return undefined;
  const compute = webgpu({ device: backend.device });
  const invalidateReads = watchReads(backend);
  const wrapped = new WeakMap<GPUBuffer, Tensor>();
  const memory: DirectMemory = {
    isExclusive(dataId) {
      const { resource, external } = backend.tensorMap.get(dataId);
      const isBuffer = resource === undefined || resource === null || isGpuBuffer(resource);
      return backend.refCount(dataId) === 1 && isBuffer && external !== true;
    },
    bind(target, dataId) {
      backend.uploadToGPU(dataId);
      const buffer = backend.tensorMap.get(dataId).resource as GPUBuffer;
      let tensor = wrapped.get(buffer);
      // The same tensor for a buffer that TF.js reuses, so that its prepared bind groups are found again.
      if (tensor?.size !== target.size) {
        tensor = compute.wrap(buffer, { shape: [target.size] });
        wrapped.set(buffer, tensor);
      }
      target.bind(tensor);
    },
    copyOf(variable) {
      if (backendOf(variable.dataId) !== backend) return copyThrough(variable, backend);
      backend.uploadToGPU(variable.dataId);
      return variable.dataToGPU().tensorRef;
    },
    // Commands that TF.js has recorded come before the step: they compute gradients and read the old values.
    flush() {
      backend.endComputePassEncoder();
      if (backend.commandEncoder !== null) backend.submitQueue();
    },
    markChanged: invalidateReads,
  };
  return {
    compute,
    memory,
    // TF.js itself reads a GPU synchronously through a canvas. Not every platform has one, and a failed read gives zeros.
    readSync() {
      throw new GradstepError(
        `The optimizer's state is on the GPU of TF.js's webgpu backend. A step on another backend needs it synchronously; a GPU can only be read asynchronously. ` +
          `Call await optimizer.getWeights() before tf.setBackend(), then set the result in a new optimizer.`,
        { code: "UNSUPPORTED" },
      );
    },
  };
}

const methods = [
  "uploadToGPU",
  "endComputePassEncoder",
  "submitQueue",
  "convertAndCacheOnCPU",
  "readToGPU",
] as const satisfies readonly (keyof WebGpuBackend)[];

function isWebGpuBackend(backend: KernelBackend): backend is WebGpuBackend {
  const { device, tensorMap, commandEncoder } = backend as Partial<WebGpuBackend>;
  return (
    typeof device?.createBuffer === "function" &&
    typeof tensorMap?.get === "function" &&
    commandEncoder !== undefined &&
    methods.every((name) => typeof (backend as Partial<WebGpuBackend>)[name] === "function")
  );
}

function isGpuBuffer(resource: unknown): boolean {
  return typeof resource === "object" && resource !== null && "mapAsync" in resource;
}

/**
 * TF.js caches the values that it has read from a storage. This returns a function that drops the cached values, and the
 * result of a read that is still pending and copied the storage before it changed.
 */
function watchReads(backend: WebGpuBackend): (dataId: DataId) => void {
  const reading = new Map<DataId, number>();
  const outdated = new WeakSet<DataId>();
  const read = backend.read.bind(backend);
  const cache = backend.convertAndCacheOnCPU.bind(backend);

  backend.read = async (dataId) => {
    reading.set(dataId, (reading.get(dataId) ?? 0) + 1);
    try {
      return await read(dataId);
    } finally {
      const left = reading.get(dataId)! - 1;
      if (left > 0) reading.set(dataId, left);
      else {
        reading.delete(dataId);
        outdated.delete(dataId);
      }
    }
  };
  backend.convertAndCacheOnCPU = (dataId, values) =>
    outdated.has(dataId) ? values : cache(dataId, values);
  return (dataId) => {
    backend.tensorMap.get(dataId).values = null;
    if (reading.has(dataId)) outdated.add(dataId);
  };
}
