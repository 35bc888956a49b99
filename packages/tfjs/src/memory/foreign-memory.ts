import { HostTensor, type Tensor } from "@gradstep/core";

/**
 * Tensors of one optimizer that are not in JavaScript memory: in TF.js's wasm heap, or on a GPU. They have to be freed
 * when the optimizer is garbage collected. It refers to nothing else of the optimizer.
 */
export class ForeignMemory {
  readonly #tensors = new Set<Tensor>();

  get isEmpty(): boolean {
    return this.#tensors.size === 0;
  }

  /** Notes a tensor that was allocated, if it is not in JavaScript memory. */
  add(tensor: Tensor): void {
    if (!(tensor instanceof HostTensor)) this.#tensors.add(tensor);
  }

  /** Frees one tensor. */
  free(tensor: Tensor): void {
    this.#tensors.delete(tensor);
    tensor.free();
  }

  /** Frees all tensors that were noted. */
  freeAll(): void {
    for (const tensor of this.#tensors) tensor.free();
    this.#tensors.clear();
  }
}
