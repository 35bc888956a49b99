import { adam, createOptimizer, type Optimizer, type Tensor } from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { attributes, beta1, beta2, mirrorStride, epsilon, gradientStride } from "./attributes.js";
import type { DensifiedRows } from "./densifier.js";
import type { Scene } from "./scene.js";
import type { Trainer } from "./trainer.js";

/** What the backward pass writes. */
interface BackwardPass {
  readonly gradients: Record<string, Tensor>;
  readonly tiles: Tensor;
}

/** The optimizer of the scene with gradstep. */
export class WithGradstep implements Trainer {
  readonly #backend: WebGpu;
  readonly #scene: Scene;
  readonly #parameters: Record<string, Tensor> = {};
  readonly #optimizer: Optimizer<"learningRate">;
  #backwardPass: BackwardPass;

  constructor(backend: WebGpu, scene: Scene, initial: Record<string, Float32Array>, rows: number) {
    this.#backend = backend;
    this.#scene = scene;
    const copies: Record<string, Tensor> = {};
    // With all parameters in one buffer, one dispatch can update all of them.
    backend.reserve(attributes.map(({ columns }) => rows * columns));
    for (const { name, columns, mirrorOffset } of attributes) {
      const shape = [rows, columns];
      this.#parameters[name] = backend.tensor(shape, initial[name]);
      copies[name] = backend.wrap(scene.mirror, {
        shape,
        capacity: scene.capacity,
        dtype: "f16",
        offset: mirrorOffset,
        rowStride: mirrorStride,
      });
    }
    const groups = attributes.map(({ name, learningRate, every }) => ({
      match: name,
      learningRate,
      every,
    }));
    const rule = adam({ beta1, beta2, epsilon, epsilonMode: "paper" });
    this.#optimizer = createOptimizer(rule, this.#parameters, { groups, copies });
    this.#backwardPass = this.#wrap(rows);
  }

  step(encoder: GPUCommandEncoder): void {
    const { gradients, tiles } = this.#backwardPass;
    this.#optimizer.encode(encoder, gradients, { rows: tiles });
  }

  remap({ count, indices, reset }: DensifiedRows): void {
    const words = { shape: [count], dtype: "u32" } as const;
    this.#optimizer.rows().remap(this.#backend.wrap(indices, words), {
      resetRows: this.#backend.wrap(reset, words),
    });
    this.#backwardPass = this.#wrap(count);
  }

  async read(name: string): Promise<Float32Array> {
    return Float32Array.from(await this.#parameters[name].read());
  }

  /** Tensors that are views of the scene's buffers, for that many rows. */
  #wrap(rows: number): BackwardPass {
    const backend = this.#backend;
    const { gradients, harmonicGradients, tiles } = this.#scene;
    const tensors: Record<string, Tensor> = {};
    for (const { name, columns, gradientOffset } of attributes) {
      const shape = [rows, columns];
      tensors[name] =
        gradientOffset === undefined
          ? backend.wrap(harmonicGradients, { shape })
          : backend.wrap(gradients, {
              shape,
              dtype: "f16",
              offset: gradientOffset,
              rowStride: gradientStride,
            });
    }
    return { gradients: tensors, tiles: backend.wrap(tiles, { shape: [rows], dtype: "u32" }) };
  }
}
