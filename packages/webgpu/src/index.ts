import { checkOptions } from "@gradstep/core";
import { requestDevice, webgpuOptions, type DeviceOptions } from "./device/request-device.js";
import { WebGpuBackend, type WebGpu } from "./webgpu-backend.js";

export type { DeviceOptions } from "./device/request-device.js";
export type { EncodeTarget } from "./webgpu-kernel.js";
export type { WebGpu } from "./webgpu-backend.js";
export type { GpuWrapOptions } from "./memory/wrap-options.js";

/**
 * A backend on the caller's device; it stays the caller's.
 * @throws {GradstepError} `UNKNOWN_OPTION`
 */
export function webgpu(options: { readonly device: GPUDevice }): WebGpu;
/**
 * A backend on a device of its own, with the adapter's limits where they are higher than the defaults; `dispose`
 * destroys it.
 *
 * @throws {GradstepError} `UNSUPPORTED` where there is no WebGPU, or no adapter; `UNKNOWN_OPTION`
 */
export function webgpu(options?: DeviceOptions): Promise<WebGpu>;
export function webgpu(
  options: DeviceOptions & { readonly device?: GPUDevice } = {},
): WebGpu | Promise<WebGpu> {
  checkOptions("webgpu", options, webgpuOptions);
  if (options.device !== undefined) return new WebGpuBackend(options.device, false);
  return requestDevice(options).then((device) => new WebGpuBackend(device, true));
}
