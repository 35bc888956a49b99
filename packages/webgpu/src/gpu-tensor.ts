import {
  checkLength,
  GradstepError,
  show,
  sizeOf,
  type Backend,
  type MemoryRange,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import type { Allocation } from "./arenas.js";
import { bufferUsage } from "./usage.js";

/** What a tensor needs of its backend. */
export interface TensorHost extends Backend {
  /** @throws {GradstepError} `DEVICE_LOST`, `DISPOSED` */
  check(): void;
  upload(buffer: GPUBuffer, byteOffset: number, values: Float32Array<ArrayBuffer>): void;
  download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<Float32Array>;
  release(allocation: Allocation): void;
}

/** Values in a part of a GPUBuffer: one of the backend's own, or the caller's. */
export class GpuTensor implements StagingTensor {
  readonly backend: TensorHost;
  readonly shape: readonly number[];
  readonly size: number;
  readonly memory: MemoryRange & { readonly buffer: GPUBuffer };
  /** The backend's memory behind it; undefined where the memory is the caller's. */
  readonly allocation: Allocation | undefined;
  readonly #onFree = new Set<() => void>();
  #freed = false;

  constructor(
    backend: TensorHost,
    shape: readonly number[],
    memory: { readonly buffer: GPUBuffer; readonly byteOffset: number },
    allocation?: Allocation,
  ) {
    this.backend = backend;
    this.shape = Object.freeze([...shape]);
    this.size = sizeOf(shape);
    this.memory = { ...memory, byteLength: this.size * 4 };
    this.allocation = allocation;
  }

  get freed(): boolean {
    return this.#freed;
  }

  write(values: ArrayLike<number>): void {
    this.#checkLive();
    if (values === null || typeof values !== "object") {
      throw new GradstepError(`Got ${show(values)} to write; expected an array of numbers.`, {
        code: "INVALID_MEMORY",
      });
    }
    checkLength("The array to write", values.length, this.size);
    this.#checkUsage(bufferUsage.COPY_DST, "written to", "COPY_DST");
    this.stage(Float32Array.from(values));
  }

  stage(values: Values): void {
    const plain = values instanceof Float32Array && values.buffer instanceof ArrayBuffer;
    const single = plain ? (values as Float32Array<ArrayBuffer>) : Float32Array.from(values);
    this.backend.upload(this.memory.buffer, this.memory.byteOffset, single);
  }

  async read(): Promise<Values> {
    this.#checkLive();
    this.#checkUsage(bufferUsage.COPY_SRC, "read", "COPY_SRC");
    const { buffer, byteOffset, byteLength } = this.memory;
    const values = await this.backend.download(buffer, byteOffset, byteLength);
    if (this.allocation?.failure !== undefined) throw this.allocation.failure;
    return values;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    for (const action of this.#onFree) action();
    this.#onFree.clear();
    if (this.allocation !== undefined) this.backend.release(this.allocation);
  }

  /** Calls an action once when the tensor is freed; the function that is returned takes that back. */
  whenFreed(action: () => void): () => void {
    this.#onFree.add(action);
    return () => this.#onFree.delete(action);
  }

  #checkLive(): void {
    if (this.#freed)
      throw new GradstepError("The tensor was freed; make a new one.", { code: "DISPOSED" });
    this.backend.check();
    if (this.allocation?.failure !== undefined) throw this.allocation.failure;
  }

  #checkUsage(flag: number, what: string, name: string): void {
    if ((this.memory.buffer.usage & flag) !== 0) return;
    throw new GradstepError(
      `The wrapped GPUBuffer cannot be ${what}: its usage is ${this.memory.buffer.usage}; expected GPUBufferUsage.${name} in it.`,
      { code: "INVALID_MEMORY" },
    );
  }
}
