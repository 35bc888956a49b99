import type { Backend, Tensor } from "@gradstep/core";
import type { Random } from "../random/random.js";
import type { CountingOptimizer } from "./model-comparison.js";
import { randomIntegers } from "./random-arguments.js";

/** Values in a row of each parameter. All parameters have the same size, so that a mix-up is not caught by a length. */
export const rowLength = 2;

/** The tensors of the parameters and their gradients, with random integers. */
export class ModelTensors {
  /** Those of the parameters, by name. */
  readonly parameters: Record<string, Tensor> = {};
  /** Of each tensor. */
  rows = 3;
  readonly #backend: Backend;
  readonly #random: Random;

  constructor(backend: Backend, random: Random) {
    this.#backend = backend;
    this.#random = random;
  }

  /** Values of a parameter, or of its gradient. */
  integers(): number[] {
    return randomIntegers(this.#random, this.rows * rowLength);
  }

  /** Makes the tensor of a parameter. */
  allocate(name: string, values: readonly number[]): Tensor {
    const tensor = this.#backend.tensor([this.rows, rowLength], values);
    this.parameters[name] = tensor;
    return tensor;
  }

  /** A gradient in the backend's memory: a caller-owned tensor, or the optimizer's own. */
  gradient(name: string, values: readonly number[], optimizer: CountingOptimizer): Tensor {
    if (this.#random.chance(0.5)) return this.#backend.tensor([this.rows, rowLength], values);
    const tensor = optimizer.gradient(name);
    tensor.write(values);
    return tensor;
  }
}
