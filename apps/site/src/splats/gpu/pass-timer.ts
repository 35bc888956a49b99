/** `GPUBufferUsage`, which is not a global in Node. */
const usage = { COPY_SRC: 0x4, QUERY_RESOLVE: 0x200 } as const;

/** Measures how long a compute pass takes on the GPU. For devices with the feature `timestamp-query`. */
export class PassTimer {
  /** Two u64: begin and end in nanoseconds. */
  readonly buffer: GPUBuffer;
  /** Of the pass to measure. */
  readonly passDescriptor: GPUComputePassDescriptor;
  readonly #queries: GPUQuerySet;

  constructor(device: GPUDevice) {
    this.#queries = device.createQuerySet({ type: "timestamp", count: 2 });
    this.buffer = device.createBuffer({ size: 16, usage: usage.QUERY_RESOLVE | usage.COPY_SRC });
    this.passDescriptor = {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: 0,
        endOfPassWriteIndex: 1,
      },
    };
  }

  /** Records that the times are written to the buffer. Follows the pass. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, 2, this.buffer, 0);
  }

  destroy(): void {
    this.#queries.destroy();
    this.buffer.destroy();
  }
}

/** @param bytes a copy of the buffer of a timer */
export function milliseconds(bytes: ArrayBuffer): number {
  const [begin, end] = new BigUint64Array(bytes);
  return Number(end - begin) / 1e6;
}
