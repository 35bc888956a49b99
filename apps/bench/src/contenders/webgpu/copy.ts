import { parametersIn } from "../../workloads/workload.js";
import type { Contender } from "../contender.js";
import { gridOf, usage, type DeviceSource } from "./device.js";

/** Bytes that Adam reads (p, g, m, v) and writes (p, m, v) per parameter. */
const bytesMoved = 7 * 4;

/** Invocations per workgroup, 16 bytes each. */
const workgroupSize = 256;
const bytesInGroup = 16 * workgroupSize;

const shader = /* wgsl */ `
@group(0) @binding(0) var<storage, read> input: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(${workgroupSize})
fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${workgroupSize};
  if (i < arrayLength(&output)) { output[i] = input[i]; }
}`;

/**
 * The bandwidth of the GPU's memory: a shader that copies as many bytes as a step moves. Not `copyBufferToBuffer`, which
 * reaches a quarter of that on some drivers.
 */
export const copy = (deviceOf: DeviceSource): Contender => ({
  name: "copy",
  description: "no step: a shader that copies, and moves as many bytes as a step",
  isBaseline: true,
  start: async ({ workload }) => {
    const device = await deviceOf();
    // Half of the bytes are read, half are written.
    const size = Math.ceil((parametersIn(workload) * bytesMoved) / 2 / 256) * 256;
    const make = (): GPUBuffer => device.createBuffer({ size, usage: usage.STORAGE });
    const [from, to] = [make(), make()];
    const module = device.createShaderModule({ code: shader });
    const pipeline = device.createComputePipeline({
      layout: "auto",
      compute: { module, entryPoint: "copy" },
    });
    const maxLength = Math.floor(device.limits.maxStorageBufferBindingSize / 256) * 256;
    const ranges: { bound: GPUBindGroup; x: number; y: number }[] = [];
    for (let offset = 0; offset < size; offset += maxLength) {
      const length = Math.min(maxLength, size - offset);
      const entries = [from, to].map((buffer, binding) => ({
        binding,
        resource: { buffer, offset, size: length },
      }));
      const bound = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      ranges.push({ bound, ...gridOf(device, Math.ceil(length / bytesInGroup)) });
    }
    return {
      step: () => {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        for (const { bound, x, y } of ranges) {
          pass.setBindGroup(0, bound);
          pass.dispatchWorkgroups(x, y);
        }
        pass.end();
        device.queue.submit([encoder.finish()]);
      },
      waitUntilDone: () => device.queue.onSubmittedWorkDone().then(() => undefined),
      read: async () => [],
      stateBytes: async () => 0,
      dispose: () => {
        from.destroy();
        to.destroy();
      },
    };
  },
});
