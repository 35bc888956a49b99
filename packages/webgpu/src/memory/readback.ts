import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { bufferUsage, mapModeRead } from "../device/webgpu-constants.js";

const minChunkSize = 2 ** 20;

/** A mappable buffer that the reads of one turn of the event loop share. */
interface Chunk {
  readonly buffer: GPUBuffer;
  readonly size: number;
  used: number;
  /** Resolves once the buffer is mapped. */
  mapped: Promise<ArrayBuffer> | undefined;
  /** Reads that have not copied their bytes yet. */
  openReads: number;
}

/**
 * Copies buffers to the host. Each read submits a copy at once, so that it sees the effects of everything submitted
 * before it and nothing else. The reads of one turn of the event loop share a buffer, which is mapped once.
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #idle: Chunk[] = [];
  #filling: Chunk | undefined;

  constructor(device: GPUDevice, errors: ErrorTracker) {
    this.#device = device;
    this.#errors = errors;
  }

  /**
   * Reads bytes. Offset and length are multiples of four.
   *
   * @throws {GradstepError} `DEVICE_LOST`, `DISPOSED`, `OUT_OF_MEMORY`; `INVALID_MEMORY` if the device cannot copy from
   * the buffer, as after `buffer.destroy()`
   */
  async read(buffer: GPUBuffer, offset: number, byteLength: number): Promise<ArrayBuffer> {
    const chunk = this.#chunkFor(byteLength);
    const start = chunk.used;
    chunk.used += byteLength;
    chunk.openReads += 1;
    // Without the copy, the chunk would still hold the values of an earlier read.
    const { refusal } = this.#errors.inScope("validation", () => {
      const encoder = this.#device.createCommandEncoder({ label: "gradstep read" });
      encoder.copyBufferToBuffer(buffer, offset, chunk.buffer, start, byteLength);
      this.#device.queue.submit([encoder.finish()]);
    });
    chunk.mapped ??= this.#map(chunk);
    const bytes = await chunk.mapped;
    const message = await refusal;
    const copy = bytes.slice(start, start + byteLength);
    chunk.openReads -= 1;
    if (chunk.openReads === 0) this.#recycle(chunk);
    if (message !== undefined)
      throw this.#errors.report(
        new GradstepError(
          `The GPUBuffer of a tensor cannot be read: ${message}. Keep a wrapped buffer until its tensor is freed; do not destroy it before.`,
          { code: "INVALID_MEMORY" },
        ),
      );
    return copy;
  }

  destroy(): void {
    for (const { buffer } of this.#idle) buffer.destroy();
    this.#filling?.buffer.destroy();
    this.#idle.length = 0;
  }

  #chunkFor(byteLength: number): Chunk {
    if (this.#filling !== undefined && this.#filling.used + byteLength <= this.#filling.size)
      return this.#filling;
    const index = this.#idle.findIndex(({ size }) => size >= byteLength);
    const size = Math.max(minChunkSize, byteLength);
    const chunk =
      index < 0
        ? { buffer: this.#createBuffer(size), size, used: 0, mapped: undefined, openReads: 0 }
        : this.#idle.splice(index, 1)[0];
    this.#filling = chunk;
    return chunk;
  }

  #createBuffer(size: number): GPUBuffer {
    return this.#errors.capture(
      "out-of-memory",
      () =>
        this.#device.createBuffer({
          label: "gradstep readback",
          size,
          usage: bufferUsage.MAP_READ | bufferUsage.COPY_DST,
        }),
      (message) =>
        new GradstepError(
          `The device has no ${size} bytes to read through: ${message}. Free tensors, or read smaller ones.`,
          { code: "OUT_OF_MEMORY" },
        ),
    );
  }

  /** Waits until this turn's reads are recorded, since a buffer that is being mapped takes no copies. */
  async #map(chunk: Chunk): Promise<ArrayBuffer> {
    await Promise.resolve();
    if (this.#filling === chunk) this.#filling = undefined;
    try {
      // `dispose` destroys the buffer, which can then not be mapped.
      this.#errors.check();
      await chunk.buffer.mapAsync(mapModeRead, 0, chunk.used);
      return chunk.buffer.getMappedRange(0, chunk.used);
    } catch (error) {
      chunk.buffer.destroy();
      await this.#errors.drainErrors();
      throw this.#errors.deviceLostError(error);
    }
  }

  #recycle(chunk: Chunk): void {
    chunk.buffer.unmap();
    chunk.used = 0;
    chunk.mapped = undefined;
    // One buffer of the minimum size is kept; a larger one would only hold memory.
    if (chunk.size === minChunkSize && this.#idle.length === 0) this.#idle.push(chunk);
    else chunk.buffer.destroy();
  }
}
