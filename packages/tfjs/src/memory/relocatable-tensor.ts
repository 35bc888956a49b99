import type { Backend, MemoryRange, Tensor, Values } from "@gradstep/core";
import type { UnmanagedTensors } from "./unmanaged-tensors.js";

/** What a slot belongs to. */
interface SlotOwner {
  readonly backend: Backend;
  readonly unmanaged: UnmanagedTensors;
  /** Is told when it is freed. */
  readonly onFree: (tensor: RelocatableTensor) => void;
}

/** A slot of the optimizer, on one of gradstep's backends. It can be relocated to another one between two steps. */
export class RelocatableTensor implements Tensor {
  readonly backend: Backend;
  /** The buffer pool, see `Backend.tensor`. */
  readonly pool: number;
  /** Called before its values are replaced. */
  onWrite: (() => void) | undefined;
  readonly #owner: SlotOwner;
  #current: Tensor;
  readonly #liveValues = (): Values => this.#current.view!();

  /** @param current is owned by this tensor from now on. */
  constructor(owner: SlotOwner, current: Tensor, pool: number) {
    this.backend = owner.backend;
    this.pool = pool;
    this.#current = current;
    this.#owner = owner;
    owner.unmanaged.add(current);
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

  /** As in `Tensor`; undefined where the values are on a GPU. */
  get view(): () => Values {
    return (this.#current.view && this.#liveValues) as () => Values;
  }

  get freed(): boolean {
    return this.#current.freed;
  }

  /** Replaces the current tensor by one with the same values, and frees it. */
  relocate(tensor: Tensor): void {
    this.#owner.unmanaged.free(this.#current);
    this.#current = tensor;
    this.#owner.unmanaged.add(tensor);
  }

  write(values: ArrayLike<number>): void {
    this.onWrite?.();
    this.#current.write(values);
  }

  read(): Promise<Values> {
    return this.#current.read();
  }

  free(): void {
    if (this.freed) return;
    this.#owner.unmanaged.free(this.#current);
    this.#owner.onFree(this);
  }
}
