import { GradstepError, show } from "@gradstep/core";
import { checkOptions, propertyOf } from "@gradstep/core/internal";

/** How `webgpu` requests a device. */
export interface DeviceOptions {
  /** `navigator.gpu` by default; in Node, the object that `nodeGpu` gives (see `@gradstep/webgpu/node`). */
  readonly gpu?: GPU | undefined;
  /** Which GPU to use if there are several; `"high-performance"` by default. */
  readonly powerPreference?: GPUPowerPreference | undefined;
}

const powerPreferences: readonly unknown[] = ["low-power", "high-performance", undefined];

/**
 * @throws {GradstepError} `UNKNOWN_OPTION`, also for a device in place of options; `INVALID_HYPERPARAMETER` if `gpu` is
 * not a GPU object, or the power preference is unknown
 */
export function checkWebgpuOptions(options: object): void {
  if (propertyOf(options, "createBuffer") !== undefined) {
    throw new GradstepError(
      `webgpu: got ${show(options)}; expected an object of options. Pass { device }.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  checkOptions("webgpu", options, ["device", "gpu", "powerPreference"]);
  const { gpu, powerPreference } = options as DeviceOptions;
  // Not `instanceof`: it may be of another realm, or of a runtime without the global.
  if (gpu !== undefined && typeof propertyOf(gpu, "requestAdapter") !== "function")
    throw new GradstepError(
      `webgpu: gpu is ${show(gpu)}; expected navigator.gpu, or in Node (await nodeGpu()).gpu.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  if (!powerPreferences.includes(powerPreference))
    throw new GradstepError(
      `webgpu: powerPreference is ${show(powerPreference)}; expected "high-performance" or "low-power".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
}

/** Limits that are requested as high as the adapter has them. */
const raisedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
] as const;

/**
 * Requests a device with the adapter's limits for buffers and bindings.
 * @throws {GradstepError} `UNSUPPORTED` if there is no WebGPU or no adapter; `DEVICE_LOST` if the platform gives a
 * device that is lost already, as WebGPU does where it cannot make one
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
  if (!adapter) {
    throw new GradstepError(
      "WebGPU has no adapter for this platform's GPU; use another backend, such as cpuJs().",
      { code: "UNSUPPORTED" },
    );
  }
  const requiredLimits = Object.fromEntries(
    raisedLimits.map((name) => [name, adapter.limits[name]]),
  );
  const device = await adapter.requestDevice({ label: "gradstep", requiredLimits });
  const lost = await Promise.race([device.lost, Promise.resolve(undefined)]);
  if (lost !== undefined) {
    throw new GradstepError(
      `The GPU device was lost as soon as it was requested (${lost.reason}: ${lost.message || "no reason given"}). Use another backend, such as cpuJs().`,
      { code: "DEVICE_LOST" },
    );
  }
  return device;
}
