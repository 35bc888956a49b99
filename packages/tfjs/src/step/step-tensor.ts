import {
  GradstepError,
  HostTensor,
  sizeOf,
  type Backend,
  type MemoryRange,
  type StagingTensor,
  type Tensor,
  type Values,
} from "@gradstep/core";
import type { UnmanagedTensors } from "../memory/unmanaged-tensors.js";

/**
 * A parameter or a gradient of the optimizer. It is bound to memory of TF.js during a step only: between steps TF.js may
 * free or move that memory.
 */
export class StepTensor implements StagingTensor {
  readonly backend: Backend;
  readonly shape: readonly number[];
  readonly size: number;
  readonly #unmanaged: UnmanagedTensors;
  readonly #compute: () => Backend;
  #current: Tensor | undefined;
  #staging: StagingTensor | undefined;
  #freed = false;
  readonly #liveValues = (): Values => this.current.view!();

  /** @param compute returns the backend that computes now, which may change between steps. */
  constructor(
    backend: Backend,
    shape: readonly number[],
    unmanaged: UnmanagedTensors,
    compute: () => Backend,
  ) {
    this.backend = backend;
    this.shape = Object.freeze([...shape]);
    this.size = sizeOf(shape);
    this.#unmanaged = unmanaged;
    this.#compute = compute;
  }

  /** The tensor that it is bound to. @throws {GradstepError} `INVALID_MEMORY` between steps */
  get current(): Tensor {
    if (this.#current === undefined)
      throw new GradstepError(
        "The tensor has no values between steps; read the variable instead.",
        { code: "INVALID_MEMORY" },
      );
    return this.#current;
  }

  /** The tensor that it is bound to; undefined between steps. */
  get bound(): Tensor | undefined {
    return this.#current;
  }

  get memory(): MemoryRange {
    return this.#current?.memory ?? { buffer: this, byteOffset: 0, byteLength: 0 };
  }

  /** As in `Tensor`, during a step; undefined where the values are on a GPU. */
  get view(): () => Values {
    const tensor = this.#current ?? anyTensorOf(this.#compute());
    return (tensor.view && this.#liveValues) as () => Values;
  }

  get freed(): boolean {
    return this.#freed;
  }

  /** Binds it to a tensor of the backend that computes now. */
  bind(tensor: Tensor): void {
    this.#current = tensor;
  }

  /** Binds it to an array, or to a copy of the array where the current backend cannot work in it. */
  stage(values: Values): void {
    const compute = this.#compute();
    if (this.#staging?.backend !== compute) {
      if (this.#staging !== undefined) this.#unmanaged.free(this.#staging);
      this.#staging = compute.staging(this.shape);
      this.#unmanaged.add(this.#staging);
    }
    this.#staging.stage(values);
    this.#current = this.#staging;
  }

  /** Ends the binding, so that no memory is kept alive. */
  release(): void {
    this.#current = undefined;
    if (this.#staging instanceof HostTensor) this.#staging.release();
  }

  write(values: ArrayLike<number>): void {
    this.current.write(values);
  }

  async read(): Promise<Values> {
    return this.current.read();
  }

  /** Frees memory that `stage` allocated; the next `stage` allocates again. */
  unstage(): void {
    if (this.#staging !== undefined) this.#unmanaged.free(this.#staging);
    this.#staging = undefined;
    this.#current = undefined;
  }

  free(): void {
    this.unstage();
    this.#freed = true;
  }
}

const tensors = new WeakMap<Backend, Tensor>();

/** A tensor without memory, which shows what tensors of the backend can do. */
function anyTensorOf(backend: Backend): Tensor {
  const tensor = tensors.get(backend) ?? backend.staging([1]);
  tensors.set(backend, tensor);
  return tensor;
}
