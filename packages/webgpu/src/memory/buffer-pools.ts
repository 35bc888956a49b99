import { GradstepError } from "@gradstep/core";
import type { Guard } from "../device/error-tracker.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** Allocations begin at multiples of this, in bytes, so that each of them can be bound by itself. */
export const granularity = 256;

const smallestArena = 2 ** 20;

/** An arena has as many times the bytes of those before it. */
const growth = 15;

/** A part of an arena. */
export interface Allocation {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  /** In bytes, a multiple of `granularity`; what is beyond the tensor's values is nobody else's. */
  readonly length: number;
  readonly pool: number;
  /** Why there is no memory behind it after all, once that is known. */
  readonly failure: GradstepError | undefined;
}

/** What has to be known of a device's limits. */
interface ArenaLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/**
 * Few large buffers, cut into tensors. Each pool has its own: tensors of different pools never share a buffer, so that
 * one dispatch can bind them side by side.
 */
export class Arenas {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  readonly #limits: ArenaLimits;
  readonly #pools = new Map<number, Arena[]>();

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
    this.#limits = device.limits;
  }

  /**
   * Allocates zeros.
   * @throws {GradstepError} `OUT_OF_MEMORY` where no buffer of the device can be that large
   */
  allocate(bytes: number, pool: number): Allocation {
    const length = roundUp(bytes);
    const arenas = this.#arenas(pool);
    // The latest first: that is where room was made.
    for (let i = arenas.length - 1; i >= 0; i -= 1) {
      const found = arenas[i].failure === undefined ? arenas[i].take(length) : undefined;
      if (found !== undefined) return found;
    }
    const { maxBufferSize } = this.#limits;
    if (length > maxBufferSize) {
      throw new GradstepError(
        `A tensor of ${bytes} bytes does not fit into a buffer of this device, which may have ${maxBufferSize}. Ask for a device with a higher maxBufferSize, or split the parameter.`,
        { code: "OUT_OF_MEMORY" },
      );
    }
    // Steep growth: a dispatch binds one arena of each pool, so that few of them are few dispatches.
    const total = arenas.reduce((sum, arena) => sum + arena.length, 0);
    const usual = Math.min(Math.max(total * growth, smallestArena), this.#largest);
    return this.#add(Math.max(length, usual), pool).take(length)!;
  }

  /** Makes room for allocations of these sizes in one arena, as long as one binding can hold it. */
  reserve(sizes: readonly number[], pool: number): void {
    const length = sizes.reduce((sum, bytes) => sum + roundUp(bytes), 0);
    if (length === 0 || length > this.#largest) return;
    const last = this.#arenas(pool).at(-1);
    if (last?.failure === undefined && last?.hasRoom(length) === true) return;
    this.#add(Math.max(length, smallestArena), pool);
  }

  #arenas(pool: number): Arena[] {
    const arenas = this.#pools.get(pool) ?? [];
    this.#pools.set(pool, arenas);
    return arenas;
  }

  #add(length: number, pool: number): Arena {
    const arena = new Arena(this.#device, this.#guard, length, pool);
    this.#arenas(pool).push(arena);
    return arena;
  }

  /** The largest arena that one binding can hold. */
  get #largest(): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    return most - (most % granularity);
  }

  /** Gives an allocation back; an arena without any is destroyed. */
  free(allocation: Allocation): void {
    for (const arenas of this.#pools.values()) {
      const index = arenas.findIndex(({ buffer }) => buffer === allocation.buffer);
      if (index < 0) continue;
      if (arenas[index].give(allocation)) {
        arenas[index].buffer.destroy();
        arenas.splice(index, 1);
      }
      return;
    }
  }

  /** Destroys every buffer. */
  destroy(): void {
    for (const arena of [...this.#pools.values()].flat()) arena.buffer.destroy();
    this.#pools.clear();
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / granularity) * granularity;
}

class Arena {
  readonly buffer: GPUBuffer;
  readonly length: number;
  readonly pool: number;
  failure: GradstepError | undefined;
  readonly #device: GPUDevice;
  /** What is free, by offset; neighbours are joined. */
  #gaps: { offset: number; length: number }[];
  /** Nothing behind this was ever used: it holds zeros. */
  #fresh = 0;

  constructor(device: GPUDevice, guard: Guard, length: number, pool: number) {
    this.#device = device;
    this.length = length;
    this.pool = pool;
    this.#gaps = [{ offset: 0, length }];
    this.buffer = guard.watch(
      "out-of-memory",
      () =>
        device.createBuffer({
          label: `gradstep arena, pool ${pool}`,
          size: length,
          usage: bufferUsage.STORAGE | bufferUsage.COPY_SRC | bufferUsage.COPY_DST,
        }),
      (message) => {
        this.failure = new GradstepError(
          `The device has no ${length} bytes for tensors: ${message}. Free something, or use a smaller model.`,
          { code: "OUT_OF_MEMORY" },
        );
        return this.failure;
      },
    );
  }

  take(length: number): Allocation | undefined {
    const index = this.#gaps.findIndex((gap) => gap.length >= length);
    if (index < 0) return undefined;
    const gap = this.#gaps[index];
    const { offset } = gap;
    if (gap.length === length) this.#gaps.splice(index, 1);
    else this.#gaps[index] = { offset: offset + length, length: gap.length - length };
    const used = Math.min(length, this.#fresh - offset);
    if (used > 0) this.#clear(offset, used);
    this.#fresh = Math.max(this.#fresh, offset + length);
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

  /** Whether an allocation of that length can be made. */
  hasRoom(length: number): boolean {
    return this.#gaps.some((gap) => gap.length >= length);
  }

  /** Returns whether nothing is left in use. */
  give({ offset, length }: Allocation): boolean {
    const gaps = [...this.#gaps, { offset, length }].sort((a, b) => a.offset - b.offset);
    this.#gaps = [];
    for (const gap of gaps) {
      const last = this.#gaps.at(-1);
      if (last !== undefined && last.offset + last.length === gap.offset) last.length += gap.length;
      else this.#gaps.push({ ...gap });
    }
    return this.#gaps[0].length === this.length;
  }

  #clear(offset: number, length: number): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.clearBuffer(this.buffer, offset, length);
    this.#device.queue.submit([encoder.finish()]);
  }
}
