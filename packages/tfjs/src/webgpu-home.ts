import { GradstepError, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import type { GPUData, KernelBackend } from "@tensorflow/tfjs-core";
import { backendOf, copyThrough, type DataId, type DirectMemory, type Home } from "./home.js";

/** What TF.js's webgpu backend knows of a storage. */
interface TensorData {
  /** A copy on the JavaScript side, or the only values, before they are uploaded. */
  values: unknown;
  /** A GPUBuffer, once there is one; a texture for images. */
  readonly resource?: unknown;
  /** Whether the buffer is the caller's. */
  readonly external?: boolean;
}

/** What is used of TF.js's webgpu backend. */
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
export function webgpuHome(backend: KernelBackend): Home | undefined {
  if (!isWebGpuBackend(backend)) return undefined;
  const compute = webgpu({ device: backend.device });
  const outdate = watchReads(backend);
  const wrapped = new WeakMap<GPUBuffer, Tensor>();
  const memory: DirectMemory = {
    isExclusive(dataId) {
      const { resource, external } = backend.tensorMap.get(dataId);
      const isBuffer = resource === undefined || resource === null || isGpuBuffer(resource);
      return backend.refCount(dataId) === 1 && isBuffer && external !== true;
    },
    place(target, dataId) {
      backend.uploadToGPU(dataId);
      const buffer = backend.tensorMap.get(dataId).resource as GPUBuffer;
      let tensor = wrapped.get(buffer);
      // The same tensor for a buffer that TF.js uses again: what was prepared for it is found.
      if (tensor?.size !== target.size) {
        tensor = compute.wrap(buffer, { shape: [target.size] });
        wrapped.set(buffer, tensor);
      }
      target.place(tensor);
    },
    copyOf(variable) {
      if (backendOf(variable.dataId) !== backend) return copyThrough(variable, backend);
      backend.uploadToGPU(variable.dataId);
      return variable.dataToGPU().tensorRef;
    },
    // What TF.js has recorded comes before the step: gradients, and uses of the old values.
    flush() {
      backend.endComputePassEncoder();
      if (backend.commandEncoder !== null) backend.submitQueue();
    },
    changed: outdate,
  };
  return {
    compute,
    memory,
    // TF.js itself reads a GPU at once through a canvas, which not every platform has, and where it fails gives zeros.
    readSync() {
      throw new GradstepError(
        `The optimizer's state is on the GPU, where TF.js's webgpu backend has trained so far; a step on another backend needs it at once, and it can be read only in time. ` +
          `Before tf.setBackend(), read it with await optimizer.getWeights(); then set it in a new optimizer.`,
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
 * TF.js keeps what it has read of a storage and does not look again. This returns what makes it forget, also what is
 * being read at the time and was copied before the values changed.
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
