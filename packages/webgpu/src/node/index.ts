import { requestDevice, type DeviceOptions } from "../device.js";
import { WebGpuBackend, type WebGpu } from "../webgpu.js";
import { nodeGpu } from "./gpu.js";

export { nodeGpu, type NodeGpu } from "./gpu.js";

/**
 * A backend in Node, on a device of its own: through the package `webgpu`, which has to be installed beside this one.
 *
 * @throws {GradstepError} `UNSUPPORTED` where that package is missing, or finds no adapter
 */
export async function webgpu(options: DeviceOptions = {}): Promise<WebGpu> {
  const gpu = options.gpu ?? (await nodeGpu()).gpu;
  return new WebGpuBackend(await requestDevice({ ...options, gpu }), true);
}
