/** A compute pipeline. Its shader's entry point is `main`; its bindings are 0, 1, 2, … of group 0. */
export class Kernel {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;

  constructor(device: GPUDevice, label: string, code: string) {
    this.#device = device;
    this.#pipeline = device.createComputePipeline({
      label,
      layout: "auto",
      compute: { module: device.createShaderModule({ label, code }), entryPoint: "main" },
    });
  }

  bind(...buffers: readonly GPUBuffer[]): BoundKernel {
    const bindGroup = this.#device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    return new BoundKernel(this.#pipeline, bindGroup);
  }
}

/** A kernel with its buffers. */
export class BoundKernel {
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroup: GPUBindGroup;

  constructor(pipeline: GPUComputePipeline, bindGroup: GPUBindGroup) {
    this.#pipeline = pipeline;
    this.#bindGroup = bindGroup;
  }

  /** Records a dispatch of that many workgroups. */
  dispatch(pass: GPUComputePassEncoder, x: number, y = 1, z = 1): void {
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.dispatchWorkgroups(x, y, z);
  }
}

/** The number of invocations in a workgroup of kernels that have one invocation per Gaussian. */
export const rowsPerWorkgroup = 64;

/** The number of workgroups of a kernel that has one invocation per Gaussian. */
export const rowWorkgroups = (rows: number): number => Math.ceil(rows / rowsPerWorkgroup);
