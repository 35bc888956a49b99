import type { Backend, MemoryRange, Tensor, Values } from "@gradstep/core";

/** A slot of the optimizer: on one of gradstep's backends, which may become another between two steps. */
export class MovingTensor implements Tensor {
  readonly backend: Backend;
  /** See `Backend.tensor`. */
  readonly pool: number;
  readonly #whenFreed: (tensor: MovingTensor) => void;
  #present: Tensor;

  /** @param present becomes this tensor's. */
  constructor(
    backend: Backend,
    present: Tensor,
    pool: number,
    whenFreed: (tensor: MovingTensor) => void,
  ) {
    this.backend = backend;
    this.pool = pool;
    this.#present = present;
    this.#whenFreed = whenFreed;
  }

  /** The tensor that it is now. */
  get present(): Tensor {
    return this.#present;
  }

  get shape(): readonly number[] {
    return this.#present.shape;
  }

  get size(): number {
    return this.#present.size;
  }

  get memory(): MemoryRange {
    return this.#present.memory;
  }

  get freed(): boolean {
    return this.#present.freed;
  }

  /** From now on it is this tensor, which has the same values; the old one is freed. */
  moveTo(tensor: Tensor): void {
    this.#present.free();
    this.#present = tensor;
  }

  write(values: ArrayLike<number>): void {
    this.#present.write(values);
  }

  read(): Promise<Values> {
    return this.#present.read();
  }

  free(): void {
    if (this.freed) return;
    this.#present.free();
    this.#whenFreed(this);
  }
}
