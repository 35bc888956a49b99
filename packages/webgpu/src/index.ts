import { checkWebgpuOptions, requestDevice, type DeviceOptions } from "./device/request-device.js";
import { WebGpuBackend } from "./webgpu-backend.js";
import type { WebGpu } from "./webgpu.js";

export type { DeviceOptions } from "./device/request-device.js";
export type { OwnBufferOptions } from "./memory/own-buffer-options.js";
export type { GpuWrapOptions } from "./memory/wrap-options.js";
export type { EncodeTarget } from "./commands/encode-target.js";
export type { GpuMemoryRange, WebGpu, WebGpuTensor } from "./webgpu.js";

/**
 * A backend on a caller-owned device. `dispose` does not destroy the device.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function webgpu(options: { readonly device: GPUDevice }): WebGpu;
/**
 * A backend on a new device, which has the adapter's limits for buffers and bindings. `dispose` destroys the device.
 *
 * @throws {GradstepError} `UNSUPPORTED` if there is no WebGPU or no adapter; `UNKNOWN_OPTION`,
 * `INVALID_HYPERPARAMETER`
 */
export function webgpu(options?: DeviceOptions): Promise<WebGpu>;
export function webgpu(
  options: DeviceOptions & { readonly device?: GPUDevice } = {},
): WebGpu | Promise<WebGpu> {
  checkWebgpuOptions(options);
  if (options.device !== undefined) return new WebGpuBackend(options.device, false);
  return requestDevice(options).then((device) => new WebGpuBackend(device, true));
}
