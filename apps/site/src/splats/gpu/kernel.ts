/** A compute pipeline with its buffers: bindings 0, 1, 2, … of group 0. The entry point of its shader is `main`. */
export class Kernel {
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroup: GPUBindGroup;

  constructor(device: GPUDevice, label: string, code: string, buffers: readonly GPUBuffer[]) {
    this.#pipeline = device.createComputePipeline({
      label,
      layout: "auto",
      compute: { module: device.createShaderModule({ label, code }), entryPoint: "main" },
    });
    this.#bindGroup = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /** Records a dispatch of that many workgroups. */
  dispatch(pass: GPUComputePassEncoder, x: number, y = 1): void {
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.dispatchWorkgroups(x, y);
  }
}

/** The number of invocations in a workgroup of kernels that have one invocation per splat. */
export const rowsPerWorkgroup = 64;

/** The number of workgroups of such a kernel. */
export const rowWorkgroups = (rows: number): number => Math.ceil(rows / rowsPerWorkgroup);
