/** Measures how long a compute pass takes on the device, which needs the feature `timestamp-query`. */
export class PassTimer {
  readonly #querySet: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#querySet = device.createQuerySet({ type: "timestamp", count: 2 });
    const usage = { queryResolve: 0x200, copySource: 0x4, copyDestination: 0x8, mapRead: 0x1 };
    this.#resolved = device.createBuffer({
      size: 16,
      usage: usage.queryResolve | usage.copySource,
    });
    this.#readable = device.createBuffer({
      size: 16,
      usage: usage.copyDestination | usage.mapRead,
    });
  }

  /** Records a pass whose start and end are noted. */
  record(encoder: GPUCommandEncoder, work: (pass: GPUComputePassEncoder) => void): void {
    const pass = encoder.beginComputePass({
      timestampWrites: {
        querySet: this.#querySet,
        beginningOfPassWriteIndex: 0,
        endOfPassWriteIndex: 1,
      },
    });
    work(pass);
    pass.end();
    encoder.resolveQuerySet(this.#querySet, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, 16);
  }

  /** The start and the end of the pass that was submitted last, in nanoseconds. */
  async read(): Promise<{ readonly start: bigint; readonly end: bigint }> {
    await this.#readable.mapAsync(0x1);
    const [start, end] = new BigUint64Array(this.#readable.getMappedRange().slice(0));
    this.#readable.unmap();
    return { start, end };
  }

  destroy(): void {
    this.#querySet.destroy();
    this.#resolved.destroy();
    this.#readable.destroy();
  }
}
