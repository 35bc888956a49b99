import {
  GradstepError,
  show,
  sizeOf,
  type Layout,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import { checkValues, notLive } from "@gradstep/core/internal";
import type { GpuMemoryRange, WebGpu, WebGpuTensor } from "../webgpu.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { decodeRows } from "./decode-rows.js";
import type { Allocation } from "./pool-buffer.js";
import { uploadable } from "./uploadable-array.js";

/** What a tensor needs of its backend. */
export interface TensorHost extends WebGpu {
  /** @throws {GradstepError} `DEVICE_LOST`, `DISPOSED` */
  check(): void;
  /** Writes to a buffer. @param isWrapped whether the buffer is caller-owned, and may have been destroyed */
  upload(
    buffer: GPUBuffer,
    byteOffset: number,
    values: Float32Array | Uint32Array,
    isWrapped: boolean,
  ): void;
  /** Writes to a tensor of f32 or f16 with any layout. */
  scatter(values: Float32Array, target: GpuTensor): void;
  /** Reads bytes of a buffer. Offset and length are multiples of four. */
  download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer>;
  free(allocation: Allocation): void;
}

/** A range in a buffer of the backend, or in a caller-owned buffer with a capacity in rows. */
export type TensorStorage =
  | { readonly allocation: Allocation }
  | {
      readonly buffer: GPUBuffer;
      readonly byteOffset: number;
      readonly layout: Layout;
      readonly capacity: number;
    };

/** A tensor in a buffer of the backend or of the caller. */
export class GpuTensor implements StagingTensor, WebGpuTensor {
  readonly backend: TensorHost;
  readonly layout?: Layout;
  #shape: readonly number[];
  #size: number;
  #storage: TensorStorage;
  #memory: GpuMemoryRange;
  /** Made for the first action, since most wrapped tensors have none. */
  #onInvalidated: Set<(recordedInto?: object) => void> | undefined;
  #failure: GradstepError | undefined;
  #freed = false;

  constructor(backend: TensorHost, shape: readonly number[], storage: TensorStorage) {
    this.backend = backend;
    this.#shape = Object.freeze([...shape]);
    this.#size = sizeOf(shape);
    this.#storage = storage;
    if ("layout" in storage) {
      const { dtype, rowStride } = storage.layout;
      const isPlain = dtype === "f32" && rowStride === this.columns;
      if (!isPlain) this.layout = Object.freeze({ ...storage.layout });
    }
    this.#memory = this.#memoryRange();
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  get memory(): GpuMemoryRange {
    return this.#memory;
  }

  /** The first dimension; 1 for a scalar. */
  get rows(): number {
    return this.#shape[0] ?? 1;
  }

  /** Values per row. */
  get columns(): number {
    return this.#size / this.rows;
  }

  /** Distance between the first values of adjacent rows, in values. */
  get rowStride(): number {
    return this.layout?.rowStride ?? this.columns;
  }

  /** Undefined if the memory is caller-owned. */
  get allocation(): Allocation | undefined {
    return "allocation" in this.#storage ? this.#storage.allocation : undefined;
  }

  /** Whether the bytes from the last value to the next multiple of `allocationAlignment` belong to the tensor. */
  get isPadded(): boolean {
    return this.allocation?.pool !== undefined;
  }

  /** The number of rows that fit into the memory. */
  get capacity(): number {
    return "allocation" in this.#storage
      ? Math.floor(this.#storage.allocation.length / 4 / this.columns)
      : this.#storage.capacity;
  }

  /** The error because of which the tensor has no values. The device may report it late. */
  get failure(): GradstepError | undefined {
    return this.#failure ?? this.allocation?.failure;
  }

  get freed(): boolean {
    return this.#freed;
  }

  write(values: ArrayLike<number>): void {
    this.checkLive();
    checkValues(values, this.#size);
    const { layout } = this;
    if (layout?.dtype === "f32" || layout?.dtype === "f16") {
      this.backend.scatter(Float32Array.from(values), this);
      return;
    }
    this.checkUsage(bufferUsage.COPY_DST, "written to", "COPY_DST");
    if (layout === undefined) this.stage(values as Values);
    else this.#writeWords(values, layout);
  }

  stage(values: Values): void {
    this.#upload(values instanceof Float32Array ? uploadable(values) : Float32Array.from(values));
  }

  /**
   * The values, row by row without gaps: f32, f16 and fixed point in a Float32Array, other integers in a Float64Array,
   * which holds all of them.
   */
  async read(): Promise<Values> {
    this.checkLive();
    this.checkUsage(bufferUsage.COPY_SRC, "read", "COPY_SRC");
    const { buffer, byteOffset, byteLength } = this.#memory;
    const { layout, rows, columns } = this;
    // Copies are made in whole words.
    const misalignment = byteOffset % 4;
    const length = Math.ceil((misalignment + byteLength) / 4) * 4;
    const bytes = await this.backend.download(buffer, byteOffset - misalignment, length);
    if (this.failure !== undefined) throw this.failure;
    if (layout === undefined) return new Float32Array(bytes);
    return decodeRows(bytes, misalignment, layout, { rows, columns });
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#invalidate(undefined);
    if (this.allocation !== undefined) this.backend.free(this.allocation);
  }

  /**
   * Changes the number of rows, and the memory if a new allocation is given. The caller frees the old one.
   * @param recordedInto the target of the caller whose work moves the rows; undefined if they are moved now
   */
  resize(rows: number, allocation: Allocation | undefined, recordedInto: object | undefined): void {
    this.#invalidate(recordedInto);
    this.#size = rows * this.columns;
    this.#shape = Object.freeze([rows, ...this.#shape.slice(1)]);
    if (allocation !== undefined) this.#storage = { allocation };
    this.#memory = this.#memoryRange();
  }

  /** Marks the values as lost. */
  fail(error: GradstepError): void {
    this.#failure = error;
  }

  /**
   * Calls an action when the tensor is freed or resized, until it is cancelled: with the target of the caller whose work
   * resizes it, if there is one; then what was recorded before stays valid.
   * @returns a function that cancels this
   */
  whenInvalidated(action: (recordedInto?: object) => void): () => void {
    const actions = (this.#onInvalidated ??= new Set());
    actions.add(action);
    return () => actions.delete(action);
  }

  /** @throws {GradstepError} `DISPOSED`, `DEVICE_LOST`, `OUT_OF_MEMORY` */
  checkLive(): void {
    if (this.#freed) throw notLive("The tensor", this);
    this.backend.check();
    if (this.failure !== undefined) throw this.failure;
  }

  /** @throws {GradstepError} `INVALID_MEMORY` */
  checkUsage(flag: number, purpose: string, name: string): void {
    if ((this.#memory.buffer.usage & flag) !== 0) return;
    throw new GradstepError(
      `The wrapped GPUBuffer cannot be ${purpose}: its usage is ${this.#memory.buffer.usage}; expected GPUBufferUsage.${name} in it.`,
      { code: "INVALID_MEMORY" },
    );
  }

  #writeWords(values: ArrayLike<number>, { dtype, rowStride }: Layout): void {
    if (dtype !== "u32" || rowStride !== this.columns || this.layout!.scale !== 1) {
      throw new GradstepError(
        `Got a tensor of ${dtype} with a row stride of ${rowStride} to write to; expected f32, f16, or u32 without gaps between rows. Write to its GPUBuffer on the device, or with queue.writeBuffer.`,
        { code: "UNSUPPORTED" },
      );
    }
    const words = Uint32Array.from(values);
    for (let i = 0; i < words.length; i += 1) {
      if (words[i] !== values[i])
        throw new GradstepError(
          `Got ${show(values[i])} at index ${i} of the array to write; expected an integer from 0 to 4294967295.`,
          { code: "INVALID_MEMORY" },
        );
    }
    this.#upload(words);
  }

  #upload(values: Float32Array | Uint32Array): void {
    const { buffer, byteOffset } = this.#memory;
    this.backend.upload(buffer, byteOffset, values, this.allocation === undefined);
  }

  #memoryRange(): GpuMemoryRange {
    if ("allocation" in this.#storage) {
      const { buffer, offset } = this.#storage.allocation;
      return { buffer, byteOffset: offset, byteLength: this.#size * 4 };
    }
    const { buffer, byteOffset } = this.#storage;
    const length = (this.rows - 1) * this.rowStride + this.columns;
    return { buffer, byteOffset, byteLength: length * (this.layout?.dtype === "f16" ? 2 : 4) };
  }

  #invalidate(recordedInto: object | undefined): void {
    for (const action of this.#onInvalidated ?? []) action(recordedInto);
  }
}
