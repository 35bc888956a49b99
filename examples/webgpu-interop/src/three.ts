import type { WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import type { StorageBufferAttribute, WebGPURenderer } from "three/webgpu";

/** The part of three.js's WebGPU backend that its types leave out. */
interface DeviceAttributes {
  /** Uploads the attribute, unless that was done before. */
  createStorageAttribute(attribute: StorageBufferAttribute): void;
  get(attribute: StorageBufferAttribute): { readonly buffer: GPUBuffer };
}

/**
 * A storage attribute of three.js as a tensor with a row per item: a parameter,
 * or a gradient.
 *
 * The renderer must use the device of the backend:
 * `new WebGPURenderer({ device: backend.device })`.
 *
 * @param columns values per item. three.js pads items of three values to four
 * when it uploads them, as WGSL does, and then says that `itemSize` is 4.
 */
export function attributeTensor(
  backend: WebGpu,
  { backend: renderer }: WebGPURenderer,
  attribute: StorageBufferAttribute,
  columns: number,
): WebGpuTensor {
  const attributes = renderer as unknown as DeviceAttributes;
  attributes.createStorageAttribute(attribute);
  const { buffer } = attributes.get(attribute);
  const { count, itemSize } = attribute;
  return backend.wrap(buffer, { shape: [count, columns], rowStride: itemSize });
}
