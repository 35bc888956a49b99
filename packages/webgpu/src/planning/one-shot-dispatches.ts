import type { ErrorTracker } from "../device/error-tracker.js";
import { cachedPipeline, type CompiledPipeline } from "../device/pipeline-cache.js";
import { bufferUsage, computeStage } from "../device/webgpu-constants.js";
import { tableBinding, type ArrayBinding } from "../shaders/kernel-layout.js";
import type { SegmentDispatch } from "./segment-dispatches.js";
import { workgroupGridOf, type WorkgroupGrid } from "./workgroup-grid.js";

/** A kernel that binds a table and some arrays, and no scalars. */
export interface TableKernel {
  readonly label: string;
  readonly layout: GPUBindGroupLayout;
  readonly compiled: CompiledPipeline;
}

export function compileTableKernel(
  device: GPUDevice,
  errors: ErrorTracker,
  label: string,
  code: string,
  arrays: readonly ArrayBinding[],
): TableKernel {
  const layout = device.createBindGroupLayout({
    label,
    entries: [{ access: "read" }, ...arrays].map(({ access }, i) => ({
      binding: tableBinding + i,
      visibility: computeStage,
      buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
    })),
  });
  return { label, layout, compiled: cachedPipeline(device, errors, label, code, layout) };
}

/** Dispatches that are recorded once, with their tables and bind groups. */
export class OneShotDispatches {
  readonly #commands: {
    bindGroup: GPUBindGroup;
    pipeline: GPUComputePipeline;
    grid: WorkgroupGrid;
  }[] = [];
  readonly #tables: GPUBuffer[] = [];

  /** @throws {GradstepError} `UNSUPPORTED` if the device refused the kernel, or allows too few workgroups */
  constructor(
    device: GPUDevice,
    { label, layout, compiled }: TableKernel,
    dispatches: readonly SegmentDispatch[],
  ) {
    if (compiled.failure !== undefined) throw compiled.failure;
    const grids = dispatches.map(({ tiles }) => workgroupGridOf(device, tiles));
    dispatches.forEach(({ table, bindings }, i) => {
      const buffer = device.createBuffer({
        label: `${label}, table`,
        size: table.byteLength,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, table);
      this.#tables.push(buffer);
      const bindGroup = device.createBindGroup({
        label,
        layout,
        entries: [{ buffer }, ...bindings].map((resource, k) => ({
          binding: tableBinding + k,
          resource,
        })),
      });
      this.#commands.push({ bindGroup, pipeline: compiled.pipeline, grid: grids[i] });
    });
  }

  record(pass: GPUComputePassEncoder): void {
    for (const { bindGroup, pipeline, grid } of this.#commands) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  /** Destroys the tables. Call this after the commands were submitted. */
  destroy(): void {
    for (const table of this.#tables) table.destroy();
  }
}
