import { adam, createOptimizer, type Optimizer } from "@gradstep/core";
import type { GpuWrapOptions, WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import { attributes, beta1, beta2, epsilon, gradientUnit, rowLength } from "./gaussian-rows.js";
import { attributeNames, type AttributeName, type GaussianRows } from "./gaussian-rows.js";
import type { RowOrigins, SplatOptimizer } from "./optimizer.js";

/** The optimizer of the Gaussians with gradstep. */
export class WithGradstep implements SplatOptimizer {
  readonly #backend: WebGpu;
  readonly #rows: GaussianRows;
  readonly #optimizer: Optimizer<"learningRate", WebGpuTensor>;
  #gradients: Record<AttributeName, WebGpuTensor>;

  constructor(backend: WebGpu, rows: GaussianRows) {
    this.#backend = backend;
    this.#rows = rows;
    const activated = this.#wrap(rows.activated);
    this.#optimizer = createOptimizer(
      adam({ beta1, beta2, epsilon, epsilonMode: "paper" }),
      this.#wrap(rows.parameters),
      {
        groups: attributeNames.map((match) => ({
          match,
          learningRate: attributes[match].learningRate,
        })),
        copies: byName((name) => ({ to: activated[name], as: attributes[name].activation })),
        activatedGradients: byName((name) => attributes[name].activation),
      },
    );
    this.#gradients = this.#wrapGradients();
  }

  setLearningRate(attribute: AttributeName, learningRate: number): void {
    this.#optimizer.groups[attributeNames.indexOf(attribute)].learningRate = learningRate;
  }

  step(encoder: GPUCommandEncoder): void {
    this.#optimizer.encode(encoder, this.#gradients, { clear: true });
  }

  resetState(encoder: GPUCommandEncoder, attribute: AttributeName): void {
    this.#optimizer.encodeReset(encoder, attribute);
  }

  remap(encoder: GPUCommandEncoder, { count, indices, fresh }: RowOrigins): void {
    const words = { shape: [count], dtype: "u32" } as const;
    this.#optimizer.rows().encodeRemap(encoder, this.#backend.wrap(indices, words), {
      resetRows: this.#backend.wrap(fresh, words),
    });
    this.#gradients = this.#wrapGradients();
  }

  activate(encoder: GPUCommandEncoder): void {
    this.#optimizer.encodeFillCopies(encoder);
  }

  #wrapGradients(): Record<AttributeName, WebGpuTensor> {
    return this.#wrap(this.#rows.gradients, { dtype: "i32", scale: gradientUnit });
  }

  /** A tensor for each attribute: its columns of the rows. */
  #wrap(buffer: GPUBuffer, options: GpuWrapOptions = {}): Record<AttributeName, WebGpuTensor> {
    const { count, capacity } = this.#rows;
    return byName((name) => {
      const { offset, columns } = attributes[name];
      const layout = { shape: [count, columns], capacity, offset, rowStride: rowLength };
      return this.#backend.wrap(buffer, { ...layout, ...options });
    });
  }
}

function byName<T>(value: (name: AttributeName) => T): Record<AttributeName, T> {
  return Object.fromEntries(attributeNames.map((name) => [name, value(name)])) as Record<
    AttributeName,
    T
  >;
}
