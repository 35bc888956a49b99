import { GradstepError } from "@gradstep/core";

/** What `webgpu` asks for a device with. */
export interface DeviceOptions {
  /** `navigator.gpu` if left out; in Node, what the package `webgpu` gives (see `@gradstep/webgpu/node`). */
  readonly gpu?: GPU;
  /** Which GPU, where there are several; `"high-performance"` if left out. */
  readonly powerPreference?: GPUPowerPreference;
}

/** The names of what `webgpu` can be told. */
export const webgpuOptions = ["device", "gpu", "powerPreference"];

/** Limits that are worth having above the default. */
const wanted = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
] as const;

/**
 * A device of the platform's, with the adapter's limits where they are higher than the defaults.
 * @throws {GradstepError} `UNSUPPORTED` where there is no WebGPU, or no adapter
 */
export async function requestDevice({
  gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu,
  powerPreference = "high-performance",
}: DeviceOptions): Promise<GPUDevice> {
  if (gpu === undefined) {
    throw new GradstepError(
      "There is no navigator.gpu here; expected a platform with WebGPU. In Node, import webgpu from @gradstep/webgpu/node.",
      { code: "UNSUPPORTED" },
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter === null) {
    throw new GradstepError(
      "WebGPU has no adapter for this platform's GPU; use another backend, such as cpuJs().",
      { code: "UNSUPPORTED" },
    );
  }
  const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ label: "gradstep", requiredLimits });
}
