import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** Offsets and lengths of allocations are multiples of this number of bytes, so that each can be bound by itself. */
export const allocationAlignment = 256;

const minBufferSize = 2 ** 20;

/** A new buffer of a pool is this many times as large as all earlier ones together. */
const growthFactor = 15;

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

/** The limits of a device that pools depend on. */
interface PoolLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/**
 * Allocates tensors from few large buffers. Tensors of different pools never share a buffer, so that one dispatch can
 * bind a buffer of each pool.
 */
export class BufferPools {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #limits: PoolLimits;
  readonly #pools = new Map<number, PoolBuffer[]>();
  /** Those that hold one tensor. */
  readonly #ownBuffers = new Set<GPUBuffer>();

  constructor(device: GPUDevice, errors: ErrorTracker) {
    this.#device = device;
    this.#errors = errors;
    this.#limits = device.limits;
  }

  /**
   * Allocates zeros.
   * @param isOverwritten whether the caller writes what it uses, so that it need not be zeros
   * @throws {GradstepError} `OUT_OF_MEMORY` if the device allows no buffer of that size
   */
  allocate(byteLength: number, pool: number, isOverwritten = false): Allocation {
    const length = aligned(byteLength);
    const buffers = this.#buffersOf(pool);
    // The newest first: it is the one with free space.
    for (let i = buffers.length - 1; i >= 0; i -= 1) {
      const found =
        buffers[i].failure === undefined ? buffers[i].allocate(length, isOverwritten) : undefined;
      if (found !== undefined) return found;
    }
    this.#checkSize(byteLength, length);
    // A dispatch binds one buffer of each pool: fewer buffers mean fewer dispatches, hence the steep growth.
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const grown = Math.min(Math.max(total * growthFactor, minBufferSize), this.#maxBindableLength);
    return this.#addBuffer(Math.max(length, grown), pool).allocate(length, isOverwritten)!;
  }

  /**
   * Allocates zeros in a buffer that holds nothing else and has no padding.
   * @param usage flags of `GPUBufferUsage` that the buffer has as well
   * @throws {GradstepError} `OUT_OF_MEMORY` if the device allows no buffer of that size
   */
  allocateBuffer(byteLength: number, usage: number): Allocation {
    this.#checkSize(byteLength, byteLength);
    let failure: GradstepError | undefined;
    const onFailure = (error: GradstepError): void => {
      failure = error;
    };
    const label = "gradstep tensor";
    const buffer = createBuffer(this.#device, this.#errors, {
      label,
      size: byteLength,
      usage,
      onFailure,
    });
    this.#ownBuffers.add(buffer);
    return {
      buffer,
      offset: 0,
      length: byteLength,
      pool: undefined,
      get failure() {
        return failure;
      },
    };
  }

  /** Makes one buffer with space for allocations of these sizes, unless they exceed what one binding can hold. */
  reserve(sizes: readonly number[], pool: number): void {
    const length = sizes.reduce((sum, byteLength) => sum + aligned(byteLength), 0);
    if (length === 0 || length > this.#maxBindableLength) return;
    const last = this.#buffersOf(pool).at(-1);
    if (last?.failure === undefined && last?.canAllocate(length) === true) return;
    this.#addBuffer(Math.max(length, minBufferSize), pool);
  }

  /** Frees an allocation, and destroys its buffer if that has no other. */
  free(allocation: Allocation): void {
    if (this.#ownBuffers.delete(allocation.buffer)) {
      destroyStale(allocation.buffer);
      return;
    }
    for (const buffers of this.#pools.values()) {
      const index = buffers.findIndex(({ buffer }) => buffer === allocation.buffer);
      if (index < 0) continue;
      if (buffers[index].free(allocation)) {
        destroyStale(buffers[index].buffer);
        buffers.splice(index, 1);
      }
      return;
    }
  }

  /** Destroys every buffer. */
  destroy(): void {
    for (const { buffer } of [...this.#pools.values()].flat()) buffer.destroy();
    this.#pools.clear();
    for (const buffer of this.#ownBuffers) buffer.destroy();
    this.#ownBuffers.clear();
  }

  #buffersOf(pool: number): PoolBuffer[] {
    const buffers = this.#pools.get(pool) ?? [];
    this.#pools.set(pool, buffers);
    return buffers;
  }

  #addBuffer(length: number, pool: number): PoolBuffer {
    const buffer = new PoolBuffer(this.#device, this.#errors, length, pool);
    this.#buffersOf(pool).push(buffer);
    return buffer;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY` */
  #checkSize(byteLength: number, bufferLength: number): void {
    const { maxBufferSize } = this.#limits;
    if (bufferLength <= maxBufferSize) return;
    throw new GradstepError(
      `A tensor of ${byteLength} bytes does not fit into a buffer of this device, which may have ${maxBufferSize}. Request a device with a higher maxBufferSize, or split the parameter.`,
      { code: "OUT_OF_MEMORY" },
    );
  }

  /** The largest buffer that one binding can hold. */
  get #maxBindableLength(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#limits;
    const length = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    return length - (length % allocationAlignment);
  }
}

function aligned(byteLength: number): number {
  return Math.ceil(byteLength / allocationAlignment) * allocationAlignment;
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
function createBuffer(
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
class PoolBuffer {
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
    this.buffer = createBuffer(device, errors, { label, size: length, usage: 0, onFailure });
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
