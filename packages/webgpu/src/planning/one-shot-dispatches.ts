import type { Bound } from "./dispatch-builder.js";
import { tableBinding, type BoundArray } from "../shaders/kernel-layout.js";
import { gridOf, type Grid } from "./workgroup-grid.js";
import type { Guard } from "../device/error-tracker.js";
import { pipelineOf, type Pipeline } from "../device/pipeline-cache.js";
import { bufferUsage, computeStage } from "../device/webgpu-constants.js";

/** A kernel that is no rule's: it binds a table and some arrays. */
export interface TableKernel {
  readonly layout: GPUBindGroupLayout;
  readonly compiled: Pipeline;
}

/** Compiles one, or finds it compiled. */
export function tableKernel(
  device: GPUDevice,
  guard: Guard,
  label: string,
  code: string,
  arrays: readonly BoundArray[],
): TableKernel {
  const layout = device.createBindGroupLayout({
    label,
    entries: [{ access: "read" }, ...arrays].map(({ access }, binding) => ({
      binding: tableBinding + binding,
      visibility: computeStage,
      buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
    })),
  });
  return { layout, compiled: pipelineOf(device, guard, label, code, layout) };
}

/** Dispatches that are recorded once, and what they need of the device. */
export class SingleUse {
  readonly #commands: {
    bindGroup: GPUBindGroup;
    pipeline: GPUComputePipeline;
    grid: Grid;
  }[] = [];
  readonly #tables: GPUBuffer[] = [];

  /** @throws {GradstepError} `UNSUPPORTED` where the device refuses the kernel, or has too few workgroups */
  constructor(device: GPUDevice, { layout, compiled }: TableKernel, dispatches: readonly Bound[]) {
    if (compiled.failure !== undefined) throw compiled.failure;
    const grids = dispatches.map(({ tiles }) => gridOf(device, tiles));
    dispatches.forEach(({ table, windows }, i) => {
      const buffer = device.createBuffer({
        label: "gradstep table",
        size: table.byteLength,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, table);
      this.#tables.push(buffer);
      const bindGroup = device.createBindGroup({
        layout,
        entries: [{ buffer }, ...windows].map((resource, binding) => ({
          binding: tableBinding + binding,
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

  /** Frees what it made; after it was submitted. */
  release(): void {
    for (const table of this.#tables) table.destroy();
  }
}
