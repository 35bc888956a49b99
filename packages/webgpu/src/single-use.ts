import { GradstepError } from "@gradstep/core";
import type { Bound } from "./dispatch-builder.js";
import { tableBinding, type BoundArray } from "./forms.js";
import type { Guard } from "./guard.js";
import { pipelineOf, type Pipeline } from "./pipelines.js";
import { bufferUsage, computeStage } from "./usage.js";

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
    x: number;
    y: number;
  }[] = [];
  readonly #tables: GPUBuffer[] = [];

  /** @throws {GradstepError} `UNSUPPORTED` where the device refuses the kernel, or has too few workgroups */
  constructor(device: GPUDevice, { layout, compiled }: TableKernel, dispatches: readonly Bound[]) {
    if (compiled.failure !== undefined) throw compiled.failure;
    const widest = device.limits.maxComputeWorkgroupsPerDimension;
    for (const { tiles } of dispatches) {
      if (tiles > widest * widest)
        throw new GradstepError(
          `A dispatch needs ${tiles} workgroups; this device has ${widest} × ${widest}.`,
          { code: "UNSUPPORTED" },
        );
    }
    for (const { table, windows, tiles } of dispatches) {
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
      const x = Math.min(tiles, widest);
      const { pipeline } = compiled;
      this.#commands.push({ bindGroup, pipeline, x, y: Math.ceil(tiles / x) });
    }
  }

  record(pass: GPUComputePassEncoder): void {
    for (const { bindGroup, pipeline, x, y } of this.#commands) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(x, y);
    }
  }

  /** Frees what it made; after it was submitted. */
  release(): void {
    for (const table of this.#tables) table.destroy();
  }
}
