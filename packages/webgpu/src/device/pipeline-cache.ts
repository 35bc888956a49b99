import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "./error-tracker.js";

/** A pipeline, and the device's error if it refused the shader. */
export interface CompiledPipeline {
  readonly pipeline: GPUComputePipeline;
  failure: GradstepError | undefined;
}

/** What a pipeline is compiled of. */
export interface ShaderSource {
  /** Appears in error messages. */
  readonly label: string;
  readonly code: string;
  readonly layout: GPUBindGroupLayout;
}

/** The pipelines of each device by shader source; backends on one device share them. */
const pipelines = new WeakMap<GPUDevice, Map<string, CompiledPipeline>>();

/** Compiles a shader with the entry point `update`, or returns it from the cache. */
export function cachedPipeline(
  device: GPUDevice,
  errors: ErrorTracker,
  { label, code, layout }: ShaderSource,
): CompiledPipeline {
  const cache = pipelines.get(device) ?? new Map<string, CompiledPipeline>();
  pipelines.set(device, cache);
  const cached = cache.get(code);
  if (cached !== undefined) return cached;
  const pipeline = errors.capture(
    "validation",
    () =>
      device.createComputePipeline({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ label, code }), entryPoint: "update" },
      }),
    (message) => {
      compiled.failure = new GradstepError(
        `The device refused the kernel ${label}: ${message.replace(/\.$/, "")}. Update the browser and the driver, or use another backend, such as cpuJs().`,
        { code: "UNSUPPORTED" },
      );
      return compiled.failure;
    },
  );
  const compiled: CompiledPipeline = { pipeline, failure: undefined };
  cache.set(code, compiled);
  return compiled;
}
