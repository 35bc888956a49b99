import {
  checkValues,
  GradstepError,
  show,
  sizeOf,
  type Backend,
  type Layout,
  type MemoryRange,
  type StagingTensor,
  type Values,
} from "@gradstep/core";
import type { Allocation } from "./buffer-pools.js";
import { fromHalf } from "./float16.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** What a tensor needs of its backend. */
export interface TensorHost extends Backend {
  /** @throws {GradstepError} `DEVICE_LOST`, `DISPOSED` */
  check(): void;
  upload(buffer: GPUBuffer, byteOffset: number, values: Float32Array | Uint32Array): void;
  /** Bytes of a buffer, in whole words. */
  download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer>;
  release(allocation: Allocation): void;
}

/** Memory of a tensor: a part of the backend's own, or of the caller's with room for some rows. */
export type GpuMemory =
  | { readonly allocation: Allocation }
  | {
      readonly buffer: GPUBuffer;
      readonly byteOffset: number;
      readonly layout: Layout;
      readonly capacity: number;
    };

type GpuRange = MemoryRange & { readonly buffer: GPUBuffer };

/** Values in a part of a GPUBuffer: one of the backend's own, or the caller's. */
export class GpuTensor implements StagingTensor {
  readonly backend: TensorHost;
  readonly layout?: Layout;
  #shape: readonly number[];
  #size: number;
  #place: GpuMemory;
  #memory: GpuRange;
  readonly #onStale = new Set<() => void>();
  #failure: GradstepError | undefined;
  #freed = false;

  constructor(backend: TensorHost, shape: readonly number[], place: GpuMemory) {
    this.backend = backend;
    this.#shape = Object.freeze([...shape]);
    this.#size = sizeOf(shape);
    this.#place = place;
    if ("layout" in place) {
      const { dtype, rowStride } = place.layout;
      const isPlain = dtype === "f32" && rowStride === this.columns;
      if (!isPlain) this.layout = Object.freeze({ ...place.layout });
    }
    this.#memory = this.#range();
  }

  get shape(): readonly number[] {
    return this.#shape;
  }

  get size(): number {
    return this.#size;
  }

  get memory(): GpuRange {
    return this.#memory;
  }

  /** The first dimension; 1 for a single number. */
  get rows(): number {
    return this.#shape[0] ?? 1;
  }

  /** Values of a row. */
  get columns(): number {
    return this.#size / this.rows;
  }

  /** From the first value of a row to the first of the next, in values. */
  get rowStride(): number {
    return this.layout?.rowStride ?? this.columns;
  }

  /** The backend's memory behind it; undefined where the memory is the caller's. */
  get allocation(): Allocation | undefined {
    return "allocation" in this.#place ? this.#place.allocation : undefined;
  }

  /** Rows for which there is room. */
  get capacity(): number {
    return "allocation" in this.#place
      ? Math.floor(this.#place.allocation.length / 4 / this.columns)
      : this.#place.capacity;
  }

  /** Why there are no values in it after all, once that is known. */
  get failure(): GradstepError | undefined {
    return this.#failure ?? this.allocation?.failure;
  }

  get freed(): boolean {
    return this.#freed;
  }

  write(values: ArrayLike<number>): void {
    this.checkLive();
    checkValues(values, this.#size);
    this.checkUsage(bufferUsage.COPY_DST, "written to", "COPY_DST");
    if (this.layout === undefined) this.stage(values as Values);
    else this.#writeWords(values, this.layout);
  }

  stage(values: Values): void {
    const plain = values instanceof Float32Array && values.buffer instanceof ArrayBuffer;
    const single = plain ? values : Float32Array.from(values);
    this.backend.upload(this.#memory.buffer, this.#memory.byteOffset, single);
  }

  /** The values, row by row without gaps: f32 and f16 in a Float32Array, u32 in a Float64Array, which holds them all. */
  async read(): Promise<Values> {
    this.checkLive();
    this.checkUsage(bufferUsage.COPY_SRC, "read", "COPY_SRC");
    const { buffer, byteOffset, byteLength } = this.#memory;
    const { layout, rows, columns, rowStride } = this;
    const before = byteOffset % 4;
    const length = Math.ceil((before + byteLength) / 4) * 4;
    const bytes = await this.backend.download(buffer, byteOffset - before, length);
    if (this.failure !== undefined) throw this.failure;
    if (layout === undefined) return new Float32Array(bytes);
    const isWord = layout.dtype === "u32";
    const values = isWord ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
    const source = arrayOf(bytes, layout.dtype);
    for (let row = 0, to = 0; row < rows; row += 1) {
      const from = before / 2 + row * rowStride;
      for (let k = from; k < from + columns; k += 1, to += 1)
        values[to] = layout.dtype === "f16" ? fromHalf(source[k]) : source[k];
    }
    return values;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#stale();
    if (this.allocation !== undefined) this.backend.release(this.allocation);
  }

  /**
   * Has other rows from now on, and other memory where some is given; what was its memory is the caller's to release.
   */
  resize(rows: number, allocation?: Allocation): void {
    this.#stale();
    this.#size = rows * this.columns;
    this.#shape = Object.freeze([rows, ...this.#shape.slice(1)]);
    if (allocation !== undefined) this.#place = { allocation };
    this.#memory = this.#range();
  }

  /** There are no values in it after all. */
  fail(error: GradstepError): void {
    this.#failure = error;
  }

  /** Calls an action once when the tensor is freed or gets other rows; the function that is returned takes that back. */
  whenStale(action: () => void): () => void {
    this.#onStale.add(action);
    return () => this.#onStale.delete(action);
  }

  /** @throws {GradstepError} `DISPOSED`, `DEVICE_LOST`, `OUT_OF_MEMORY` */
  checkLive(): void {
    if (this.#freed)
      throw new GradstepError("The tensor was freed; make a new one.", { code: "DISPOSED" });
    this.backend.check();
    if (this.failure !== undefined) throw this.failure;
  }

  /** @throws {GradstepError} `INVALID_MEMORY` */
  checkUsage(flag: number, what: string, name: string): void {
    if ((this.#memory.buffer.usage & flag) !== 0) return;
    throw new GradstepError(
      `The wrapped GPUBuffer cannot be ${what}: its usage is ${this.#memory.buffer.usage}; expected GPUBufferUsage.${name} in it.`,
      { code: "INVALID_MEMORY" },
    );
  }

  #writeWords(values: ArrayLike<number>, { dtype, rowStride }: Layout): void {
    if (dtype !== "u32" || rowStride !== this.columns) {
      throw new GradstepError(
        `A tensor of ${dtype} with a row stride of ${rowStride} cannot be written to from here; expected f32 or u32 whose rows follow each other. Write to its GPUBuffer on the device, or with queue.writeBuffer.`,
        { code: "UNSUPPORTED" },
      );
    }
    const words = Uint32Array.from(values);
    for (let i = 0; i < words.length; i += 1) {
      if (words[i] !== values[i])
        throw new GradstepError(
          `Got ${show(values[i])} at position ${i} of the array to write; expected an integer from 0 to 4294967295.`,
          { code: "INVALID_MEMORY" },
        );
    }
    this.backend.upload(this.#memory.buffer, this.#memory.byteOffset, words);
  }

  #range(): GpuRange {
    if ("allocation" in this.#place) {
      const { buffer, offset } = this.#place.allocation;
      return { buffer, byteOffset: offset, byteLength: this.#size * 4 };
    }
    const { buffer, byteOffset } = this.#place;
    const length = (this.rows - 1) * this.rowStride + this.columns;
    return { buffer, byteOffset, byteLength: length * (this.layout?.dtype === "f16" ? 2 : 4) };
  }

  #stale(): void {
    for (const action of this.#onStale) action();
    this.#onStale.clear();
  }
}

function arrayOf(bytes: ArrayBuffer, dtype: Layout["dtype"]): ArrayLike<number> {
  if (dtype === "f16") return new Uint16Array(bytes);
  return dtype === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes);
}
