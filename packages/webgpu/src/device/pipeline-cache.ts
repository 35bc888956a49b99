import { GradstepError } from "@gradstep/core";
import type { Guard } from "./error-tracker.js";

/** A pipeline, and why the device refused it after all, once that is known. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  failure: GradstepError | undefined;
}

/** What was compiled for each device, by its source: backends on one device share it. */
const compiled = new WeakMap<GPUDevice, Map<string, Pipeline>>();

/**
 * Compiles a shader with the entry point `update`, or finds it compiled.
 *
 * @param label for people: in the device's messages, and in ours
 */
export function pipelineOf(
  device: GPUDevice,
  guard: Guard,
  label: string,
  code: string,
  layout: GPUBindGroupLayout,
): Pipeline {
  const known = compiled.get(device) ?? new Map<string, Pipeline>();
  compiled.set(device, known);
  const found = known.get(code);
  if (found !== undefined) return found;
  const pipeline = guard.watch(
    "validation",
    () =>
      device.createComputePipeline({
        label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ label, code }), entryPoint: "update" },
      }),
    (message) => {
      result.failure = new GradstepError(`The device refused the kernel ${label}: ${message}`, {
        code: "UNSUPPORTED",
      });
      return result.failure;
    },
  );
  const result: Pipeline = { pipeline, failure: undefined };
  known.set(code, result);
  return result;
}
