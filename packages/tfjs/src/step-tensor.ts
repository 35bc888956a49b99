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

/**
 * A parameter or a gradient of the optimizer: stands for some memory of TF.js's during a step, and for nothing between
 * steps, when that memory may be freed or moved.
 */
export class StepTensor implements StagingTensor {
  readonly backend: Backend;
  readonly shape: readonly number[];
  readonly size: number;
  readonly #compute: () => Backend;
  #present: Tensor | undefined;
  #staging: StagingTensor | undefined;
  #freed = false;

  /** @param compute the backend that computes now, which may change between steps. */
  constructor(backend: Backend, shape: readonly number[], compute: () => Backend) {
    this.backend = backend;
    this.shape = Object.freeze([...shape]);
    this.size = sizeOf(shape);
    this.#compute = compute;
  }

  /** What it stands for. @throws {GradstepError} `INVALID_MEMORY` between steps */
  get present(): Tensor {
    if (this.#present === undefined)
      throw new GradstepError(
        "The tensor has no values between steps; read the variable instead.",
        { code: "INVALID_MEMORY" },
      );
    return this.#present;
  }

  get memory(): MemoryRange {
    return this.#present?.memory ?? { buffer: this, byteOffset: 0, byteLength: 0 };
  }

  get freed(): boolean {
    return this.#freed;
  }

  /** Lets it stand for a tensor of the backend that computes now. */
  place(tensor: Tensor): void {
    this.#present = tensor;
  }

  /** Lets it stand for an array: in place, where the backend that computes now can; for a copy, elsewhere. */
  stage(values: Values): void {
    const compute = this.#compute();
    if (this.#staging?.backend !== compute) {
      this.#staging?.free();
      this.#staging = compute.staging(this.shape);
    }
    this.#staging.stage(values);
    this.#present = this.#staging;
  }

  /** Ends what `place` or `stage` began. */
  release(): void {
    this.#present = undefined;
    if (this.#staging instanceof HostTensor) this.#staging.release();
  }

  write(values: ArrayLike<number>): void {
    this.present.write(values);
  }

  async read(): Promise<Values> {
    return this.present.read();
  }

  free(): void {
    this.#staging?.free();
    this.#staging = undefined;
    this.#present = undefined;
    this.#freed = true;
  }
}
