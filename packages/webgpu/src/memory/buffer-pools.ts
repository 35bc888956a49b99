import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { destroyStale } from "../device/stale-work.js";
import { createTensorBuffer, PoolBuffer, type Allocation } from "./pool-buffer.js";

/** Offsets and lengths of allocations are multiples of this number of bytes, so that each can be bound by itself. */
export const allocationAlignment = 256;

const minBufferSize = 2 ** 20;

/** A new buffer of a pool is this many times as large as all earlier ones together. */
const growthFactor = 15;

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
    const buffer = createTensorBuffer(this.#device, this.#errors, {
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
    return Math.min(maxBufferSize, maxStorageBufferBindingSize);
  }
}

function aligned(byteLength: number): number {
  return Math.ceil(byteLength / allocationAlignment) * allocationAlignment;
}
