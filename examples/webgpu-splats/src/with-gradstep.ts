import { adam, createOptimizer, type Optimizer, type Tensor } from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { attributes, beta1, beta2, copyStride, epsilon, gradientStride } from "./attributes.js";
import type { Densified } from "./densify.js";
import type { Scene } from "./scene.js";
import type { Trainer } from "./trainer.js";

/** What the backward pass leaves. */
interface Given {
  readonly gradients: Record<string, Tensor>;
  readonly tiles: Tensor;
}

/** The optimizer of the scene with gradstep. */
export class WithGradstep implements Trainer {
  readonly #backend: WebGpu;
  readonly #scene: Scene;
  readonly #parameters: Record<string, Tensor> = {};
  readonly #optimizer: Optimizer<"learningRate">;
  #given: Given;

  constructor(backend: WebGpu, scene: Scene, initial: Record<string, Float32Array>, rows: number) {
    this.#backend = backend;
    this.#scene = scene;
    const mirrors: Record<string, Tensor> = {};
    // One buffer for all: one dispatch for all.
    backend.reserve(attributes.map(({ columns }) => rows * columns));
    for (const { name, columns, copyAt } of attributes) {
      const shape = [rows, columns];
      this.#parameters[name] = backend.tensor(shape, initial[name]);
      mirrors[name] = backend.wrap(scene.copies, {
        shape,
        capacity: scene.capacity,
        dtype: "f16",
        offset: copyAt,
        rowStride: copyStride,
      });
    }
    const groups = attributes.map(({ name, learningRate, every }) => ({
      match: name,
      learningRate,
      every,
    }));
    const rule = adam({ beta1, beta2, epsilon, epsilonMode: "paper" });
    this.#optimizer = createOptimizer(rule, this.#parameters, { groups, mirrors });
    this.#given = this.#wrap(rows);
  }

  step(encoder: GPUCommandEncoder): void {
    const { gradients, tiles } = this.#given;
    this.#optimizer.encode(encoder, gradients, { rows: tiles });
  }

  remap({ count, indices, fresh }: Densified): void {
    const words = { shape: [count], dtype: "u32" } as const;
    this.#optimizer.rows().remap(this.#backend.wrap(indices, words), {
      resetRows: this.#backend.wrap(fresh, words),
    });
    this.#given = this.#wrap(count);
  }

  async read(name: string): Promise<Float32Array> {
    return Float32Array.from(await this.#parameters[name].read());
  }

  /** Tensors over the scene's buffers, for so many rows. */
  #wrap(rows: number): Given {
    const backend = this.#backend;
    const { gradients, harmonicGradients, tiles } = this.#scene;
    const tensors: Record<string, Tensor> = {};
    for (const { name, columns, gradientAt } of attributes) {
      const shape = [rows, columns];
      tensors[name] =
        gradientAt === undefined
          ? backend.wrap(harmonicGradients, { shape })
          : backend.wrap(gradients, {
              shape,
              dtype: "f16",
              offset: gradientAt,
              rowStride: gradientStride,
            });
    }
    return { gradients: tensors, tiles: backend.wrap(tiles, { shape: [rows], dtype: "u32" }) };
  }
}
