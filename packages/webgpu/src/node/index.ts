import { checkWebgpuOptions, requestDevice, type DeviceOptions } from "../device/request-device.js";
import { WebGpuBackend } from "../webgpu-backend.js";
import type { WebGpu } from "../webgpu.js";
import { nodeGpu } from "./node-gpu.js";

export { nodeGpu, type NodeGpu } from "./node-gpu.js";

/**
 * A backend in Node, through the package `webgpu`, which must be installed as well.
 *
 * @param options.device a caller-owned device; a new one by default
 * @throws {GradstepError} `UNSUPPORTED` if that package is missing or finds no adapter; `UNKNOWN_OPTION`,
 * `INVALID_HYPERPARAMETER`
 */
export async function webgpu(
  options: DeviceOptions & { readonly device?: GPUDevice } = {},
): Promise<WebGpu> {
  checkWebgpuOptions(options);
  if (options.device !== undefined) return new WebGpuBackend(options.device, false);
  const gpu = options.gpu ?? (await nodeGpu()).gpu;
  return new WebGpuBackend(await requestDevice({ ...options, gpu }), true);
}
