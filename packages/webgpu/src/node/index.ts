import { checkWebgpuOptions, requestDevice, type DeviceOptions } from "../device/request-device.js";
import { WebGpuBackend } from "../webgpu-backend.js";
import type { WebGpu } from "../webgpu.js";
import { nodeGpu } from "./node-gpu.js";

export { nodeGpu, type NodeGpu } from "./node-gpu.js";

/**
 * A backend on a caller-owned device. `dispose` does not destroy the device.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function webgpu(options: { readonly device: GPUDevice }): WebGpu;
/**
 * A backend on a new device, through the package `webgpu`, which must be installed as well.
 *
 * @throws {GradstepError} `UNSUPPORTED` if that package is missing or finds no adapter; `UNKNOWN_OPTION`,
 * `INVALID_HYPERPARAMETER`
 */
export function webgpu(options?: DeviceOptions): Promise<WebGpu>;
export function webgpu(
  options: DeviceOptions & { readonly device?: GPUDevice } = {},
): WebGpu | Promise<WebGpu> {
  checkWebgpuOptions(options);
  if (options.device !== undefined) return new WebGpuBackend(options.device, false);
  return makeBackend(options);
}

async function makeBackend(options: DeviceOptions): Promise<WebGpu> {
  const gpu = options.gpu ?? (await nodeGpu()).gpu;
  return new WebGpuBackend(await requestDevice({ ...options, gpu }), true);
}
