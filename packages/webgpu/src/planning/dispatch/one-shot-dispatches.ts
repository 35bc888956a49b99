import type { ErrorTracker } from "../../device/error-tracker.js";
import { cachedPipeline, type CompiledPipeline } from "../../device/pipeline-cache.js";
import { computeStage } from "../../device/webgpu-constants.js";
import { tableBinding, type ArrayBinding } from "../../shaders/kernel-layout.js";
import type { BindingRange } from "./dispatch.js";
import { DispatchTables } from "./dispatch-tables.js";
import type { SegmentDispatch } from "./segment-dispatches.js";
import { workgroupGridOf, type WorkgroupGrid } from "./workgroup-grid.js";

/** A kernel that binds a table and some arrays, and no scalars. */
export interface TableKernel {
  readonly label: string;
  readonly layout: GPUBindGroupLayout;
  readonly compiled: CompiledPipeline;
}

/** What a kernel that binds a table is compiled of. */
export interface TableKernelSource {
  readonly label: string;
  readonly code: string;
  readonly arrays: readonly (ArrayBinding & { readonly hasDynamicOffset?: boolean })[];
}

export function compileTableKernel(
  device: GPUDevice,
  errors: ErrorTracker,
  { label, code, arrays }: TableKernelSource,
): TableKernel {
  const layout = device.createBindGroupLayout({
    label,
    entries: [{ access: "read" as const, hasDynamicOffset: false }, ...arrays].map(
      ({ access, hasDynamicOffset = false }, i) => ({
        binding: tableBinding + i,
        visibility: computeStage,
        buffer: {
          type: access === "read" ? ("read-only-storage" as const) : ("storage" as const),
          hasDynamicOffset,
        },
      }),
    ),
  });
  return { label, layout, compiled: cachedPipeline(device, errors, { label, code, layout }) };
}

/** Dispatches with their tables, in one buffer, and their bind groups. */
export class OneShotDispatches {
  readonly #commands: readonly { bindGroup: GPUBindGroup; grid: WorkgroupGrid }[];
  readonly #pipeline: GPUComputePipeline;
  readonly #tables: DispatchTables;
  readonly #ranges: readonly BindingRange[];

  /** @throws {GradstepError} `UNSUPPORTED` if the device refused the kernel, or allows too few workgroups */
  constructor(
    device: GPUDevice,
    { label, layout, compiled }: TableKernel,
    dispatches: readonly SegmentDispatch[],
  ) {
    if (compiled.failure !== undefined) throw compiled.failure;
    this.#pipeline = compiled.pipeline;
    const grids = dispatches.map(({ tiles }) => workgroupGridOf(device, tiles));
    this.#tables = new DispatchTables(device, label);
    this.#ranges = this.#tables.acquire(dispatches.map(({ table }) => table));
    this.#commands = dispatches.map(({ bindings }, i) => {
      const bindGroup = device.createBindGroup({
        label,
        layout,
        entries: [this.#ranges[i], ...bindings].map((resource, k) => ({
          binding: tableBinding + k,
          resource,
        })),
      });
      return { bindGroup, grid: grids[i] };
    });
  }

  record(pass: GPUComputePassEncoder): void {
    pass.setPipeline(this.#pipeline);
    for (const { bindGroup, grid } of this.#commands) {
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(grid.x, grid.y);
    }
  }

  /** Destroys the tables. Call this after the commands were submitted. */
  destroy(): void {
    this.#tables.release(this.#ranges);
  }
}
