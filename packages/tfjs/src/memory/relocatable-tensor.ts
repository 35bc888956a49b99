import type { Backend, MemoryRange, Tensor, Values } from "@gradstep/core";
import type { ForeignMemory } from "./foreign-memory.js";

/** A slot of the optimizer, on one of gradstep's backends. It can be relocated to another one between two steps. */
export class RelocatableTensor implements Tensor {
  readonly backend: Backend;
  /** The buffer pool, see `Backend.tensor`. */
  readonly pool: number;
  readonly #foreign: ForeignMemory;
  readonly #onFree: (tensor: RelocatableTensor) => void;
  #current: Tensor;

  /** @param current is owned by this tensor from now on. */
  constructor(
    backend: Backend,
    current: Tensor,
    pool: number,
    foreign: ForeignMemory,
    onFree: (tensor: RelocatableTensor) => void,
  ) {
    this.backend = backend;
    this.pool = pool;
    this.#current = current;
    this.#foreign = foreign;
    this.#onFree = onFree;
    foreign.add(current);
  }

  /** The tensor that holds the values now. */
  get current(): Tensor {
    return this.#current;
  }

  get shape(): readonly number[] {
    return this.#current.shape;
  }

  get size(): number {
    return this.#current.size;
  }

  get memory(): MemoryRange {
    return this.#current.memory;
  }

  get freed(): boolean {
    return this.#current.freed;
  }

  /** Replaces the current tensor by one with the same values, and frees it. */
  relocate(tensor: Tensor): void {
    this.#foreign.free(this.#current);
    this.#current = tensor;
    this.#foreign.add(tensor);
  }

  write(values: ArrayLike<number>): void {
    this.#current.write(values);
  }

  read(): Promise<Values> {
    return this.#current.read();
  }

  free(): void {
    if (this.freed) return;
    this.#foreign.free(this.#current);
    this.#onFree(this);
  }
}
