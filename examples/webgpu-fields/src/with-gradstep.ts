import { adam, createOptimizer, type Optimizer } from "@gradstep/core";
import type { WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import {
  fieldNames,
  fields,
  gradientScale,
  rowLength,
  type Field,
  type RowOptimizer,
  type TrainerBuffers,
} from "./rows.js";

export class WithGradstep implements RowOptimizer {
  readonly #optimizer: Optimizer<never, WebGpuTensor, never, Field>;
  readonly #gradients: Record<string, WebGpuTensor>;

  constructor(backend: WebGpu, buffers: TrainerBuffers, rows: number) {
    const wrap = (buffer: GPUBuffer, options = {}): Record<Field, WebGpuTensor> =>
      Object.fromEntries(
        fieldNames.map((name) => {
          const { offset, columns } = fields[name];
          const layout = { shape: [rows, columns], offset, rowStride: rowLength, ...options };
          return [name, backend.wrap(buffer, layout)];
        }),
      ) as Record<Field, WebGpuTensor>;
    const to = wrap(buffers.activated);
    this.#gradients = wrap(buffers.gradients, { dtype: "i32", scale: gradientScale });
    this.#optimizer = createOptimizer(adam(), wrap(buffers.parameters), {
      groups: fieldNames.map((match) => ({ match, learningRate: fields[match].learningRate })),
      copies: {
        position: to.position,
        opacity: { to: to.opacity, as: "sigmoid" },
        scale: { to: to.scale, as: "exp" },
        rotation: { to: to.rotation, as: "normalize" },
        color: { to: to.color, as: "sigmoid" },
      },
    });
  }

  step(encoder: GPUCommandEncoder): void {
    this.#optimizer.encode(encoder, this.#gradients, { clear: true });
  }

  resetOpacity(encoder: GPUCommandEncoder): void {
    this.#optimizer.encodeReset(encoder, "opacity");
  }
}
