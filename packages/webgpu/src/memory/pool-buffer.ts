import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** A range of a pool's buffer, or a buffer that holds one tensor. */
export interface Allocation {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  /** In bytes; in a pool, a multiple of `allocationAlignment`: bytes after the tensor's values are padding. */
  readonly length: number;
  /** Undefined for a buffer that holds one tensor. */
  readonly pool: number | undefined;
  /** The device's error if it had no memory for the buffer. */
  readonly failure: GradstepError | undefined;
}

interface TensorBufferOptions {
  readonly label: string;
  /** In bytes. */
  readonly size: number;
  /** Flags of `GPUBufferUsage` that the buffer has as well. */
  readonly usage: number;
  /** Called if the device reports later that it had no memory for the buffer. */
  readonly onFailure: (error: GradstepError) => void;
}

/** A buffer for tensors. */
export function createTensorBuffer(
  device: GPUDevice,
  errors: ErrorTracker,
  { label, size, usage, onFailure }: TensorBufferOptions,
): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = bufferUsage;
  return errors.capture(
    "out-of-memory",
    () => device.createBuffer({ label, size, usage: STORAGE | COPY_SRC | COPY_DST | usage }),
    (message) => {
      const error = new GradstepError(
        `The device has no ${size} bytes for tensors: ${message}. Free tensors, or use a smaller model.`,
        { code: "OUT_OF_MEMORY" },
      );
      onFailure(error);
      return error;
    },
  );
}

/** A buffer with a first-fit allocator. */
export class PoolBuffer {
  readonly buffer: GPUBuffer;
  readonly length: number;
  readonly pool: number;
  failure: GradstepError | undefined;
  readonly #device: GPUDevice;
  /** Sorted by offset; adjacent ranges are merged. */
  #freeRanges: { offset: number; length: number }[];
  /** Bytes from here on were never allocated: they are zeros. */
  #unusedFrom = 0;

  constructor(device: GPUDevice, errors: ErrorTracker, length: number, pool: number) {
    this.#device = device;
    this.length = length;
    this.pool = pool;
    this.#freeRanges = [{ offset: 0, length }];
    const label = `gradstep tensors, pool ${pool}`;
    const onFailure = (error: GradstepError): void => {
      this.failure = error;
    };
    this.buffer = createTensorBuffer(device, errors, { label, size: length, usage: 0, onFailure });
  }

  /** Allocates zeros unless they are overwritten; undefined if no free range is long enough. */
  allocate(length: number, isOverwritten: boolean): Allocation | undefined {
    const index = this.#freeRanges.findIndex((range) => range.length >= length);
    if (index < 0) return undefined;
    const range = this.#freeRanges[index];
    const { offset } = range;
    if (range.length === length) this.#freeRanges.splice(index, 1);
    else this.#freeRanges[index] = { offset: offset + length, length: range.length - length };
    const used = Math.min(length, this.#unusedFrom - offset);
    if (used > 0 && !isOverwritten) this.#clear(offset, used);
    this.#unusedFrom = Math.max(this.#unusedFrom, offset + length);
    const failure = (): GradstepError | undefined => this.failure;
    return {
      buffer: this.buffer,
      offset,
      length,
      pool: this.pool,
      get failure() {
        return failure();
      },
    };
  }

  canAllocate(length: number): boolean {
    return this.#freeRanges.some((range) => range.length >= length);
  }

  /** Returns whether the whole buffer is free now. */
  free({ offset, length }: Allocation): boolean {
    const ranges = [...this.#freeRanges, { offset, length }].sort((a, b) => a.offset - b.offset);
    this.#freeRanges = [];
    for (const range of ranges) {
      const last = this.#freeRanges.at(-1);
      if (last !== undefined && last.offset + last.length === range.offset)
        last.length += range.length;
      else this.#freeRanges.push({ ...range });
    }
    return this.#freeRanges[0].length === this.length;
  }

  #clear(offset: number, length: number): void {
    const encoder = this.#device.createCommandEncoder({ label: "gradstep clear" });
    encoder.clearBuffer(this.buffer, offset, length);
    this.#device.queue.submit([encoder.finish()]);
  }
}
