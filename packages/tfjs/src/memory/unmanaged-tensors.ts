import { HostTensor } from "@gradstep/core";

/** A tensor, or other memory. */
interface Memory {
  free(): void;
}

/**
 * Tensors and other memory of one optimizer that the garbage collector does not manage: in TF.js's wasm heap, or on a GPU.
 * They have to be freed when the optimizer is collected, so this must not refer to anything else of the optimizer.
 */
export class UnmanagedTensors {
  readonly #tensors = new Set<Memory>();

  get isEmpty(): boolean {
    return this.#tensors.size === 0;
  }

  /** Registers a tensor that was allocated, unless it is in JavaScript memory. */
  add(tensor: Memory): void {
    if (!(tensor instanceof HostTensor)) this.#tensors.add(tensor);
  }

  /** Frees one tensor. */
  free(tensor: Memory): void {
    this.#tensors.delete(tensor);
    tensor.free();
  }

  /** Frees all registered tensors. */
  freeAll(): void {
    for (const tensor of this.#tensors) tensor.free();
    this.#tensors.clear();
  }
}
