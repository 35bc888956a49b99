/** Colors are premultiplied by alpha; later ones cover earlier ones. */
const over: GPUBlendComponent = { srcFactor: "one", dstFactor: "one-minus-src-alpha" };

/** Entry points of a shader, and the format of what they draw on. */
export interface DrawingOptions {
  readonly module: GPUShaderModule;
  readonly vertex: string;
  readonly fragment: string;
  readonly format: GPUTextureFormat;
}

/** A render pipeline with its buffers: bindings 0, 1, 2, … of group 0. Undefined for a binding that it does not use. */
export class Drawing {
  readonly #pipeline: GPURenderPipeline;
  readonly #bindGroup: GPUBindGroup;

  constructor(
    device: GPUDevice,
    { module, vertex, fragment, format }: DrawingOptions,
    buffers: readonly (GPUBuffer | undefined)[],
  ) {
    const targets = [{ format, blend: { color: over, alpha: over } }];
    this.#pipeline = device.createRenderPipeline({
      label: fragment,
      layout: "auto",
      vertex: { module, entryPoint: vertex },
      fragment: { module, entryPoint: fragment, targets },
    });
    this.#bindGroup = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: buffers.flatMap((buffer, binding) =>
        buffer === undefined ? [] : [{ binding, resource: { buffer } }],
      ),
    });
  }

  /** Records a render pass that draws on black. */
  encode(
    encoder: GPUCommandEncoder,
    view: GPUTextureView,
    vertices: number,
    instances: number,
  ): void {
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view, loadOp: "clear", storeOp: "store", clearValue: [0, 0, 0, 1] }],
    });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.draw(vertices, instances);
    pass.end();
  }
}
