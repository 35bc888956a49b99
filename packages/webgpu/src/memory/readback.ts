import { GradstepError } from "@gradstep/core";
import type { Guard } from "../device/error-tracker.js";
import { bufferUsage, mapForReading } from "../device/webgpu-constants.js";

const smallestChunk = 2 ** 20;

/** A buffer that the host can read, filled by the reads of one turn of the event loop. */
interface Chunk {
  readonly buffer: GPUBuffer;
  readonly size: number;
  used: number;
  /** Resolves once the buffer is mapped. */
  mapped: Promise<ArrayBuffer> | undefined;
  /** Reads that have not taken their values yet. */
  open: number;
}

/**
 * Copies values back to the host. Each read is a copy on the queue, made at once, so that it sees what was submitted
 * before it and nothing else; the reads of one turn share a buffer, which is mapped once.
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  readonly #idle: Chunk[] = [];
  #filling: Chunk | undefined;

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
  }

  /** @throws {GradstepError} `DEVICE_LOST`, `DISPOSED`, `OUT_OF_MEMORY` */
  async read(buffer: GPUBuffer, offset: number, byteLength: number): Promise<ArrayBuffer> {
    const chunk = this.#chunk(byteLength);
    const from = chunk.used;
    chunk.used += Math.ceil(byteLength / 8) * 8;
    chunk.open += 1;
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, chunk.buffer, from, byteLength);
    this.#device.queue.submit([encoder.finish()]);
    chunk.mapped ??= this.#map(chunk);
    const bytes = await chunk.mapped;
    const copy = bytes.slice(from, from + byteLength);
    chunk.open -= 1;
    if (chunk.open === 0) this.#recycle(chunk);
    return copy;
  }

  destroy(): void {
    for (const { buffer } of this.#idle) buffer.destroy();
    this.#filling?.buffer.destroy();
    this.#idle.length = 0;
  }

  #chunk(byteLength: number): Chunk {
    if (this.#filling !== undefined && this.#filling.used + byteLength <= this.#filling.size)
      return this.#filling;
    const index = this.#idle.findIndex(({ size }) => size >= byteLength);
    const size = Math.max(smallestChunk, Math.ceil(byteLength / 8) * 8);
    const chunk =
      index < 0
        ? { buffer: this.#allocate(size), size, used: 0, mapped: undefined, open: 0 }
        : this.#idle.splice(index, 1)[0];
    this.#filling = chunk;
    return chunk;
  }

  #allocate(size: number): GPUBuffer {
    return this.#guard.watch(
      "out-of-memory",
      () =>
        this.#device.createBuffer({
          label: "gradstep readback",
          size,
          usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
        }),
      (message) =>
        new GradstepError(
          `The device has no ${size} bytes to read through: ${message}. Free something, or read smaller tensors.`,
          { code: "OUT_OF_MEMORY" },
        ),
    );
  }

  /** Once this turn's reads are all recorded: a buffer that is being mapped takes no more copies. */
  async #map(chunk: Chunk): Promise<ArrayBuffer> {
    await Promise.resolve();
    if (this.#filling === chunk) this.#filling = undefined;
    try {
      // Disposing destroys the buffer, which may be mapped no more.
      this.#guard.check();
      await chunk.buffer.mapAsync(mapForReading, 0, chunk.used);
      return chunk.buffer.getMappedRange(0, chunk.used);
    } catch (error) {
      chunk.buffer.destroy();
      await this.#guard.settle();
      throw this.#guard.lost(error);
    }
  }

  #recycle(chunk: Chunk): void {
    chunk.buffer.unmap();
    chunk.used = 0;
    chunk.mapped = undefined;
    // One buffer of the usual size is kept; a large one would only hold memory.
    if (chunk.size === smallestChunk && this.#idle.length === 0) this.#idle.push(chunk);
    else chunk.buffer.destroy();
  }
}
