/** `GPUBufferUsage` and `GPUMapMode`, which are not globals in Node. */
const usage = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, STORAGE: 0x80 } as const;
const mapForReading = 0x1;

/** The buffers of one training. */
export class Buffers {
  readonly device: GPUDevice;
  readonly #all: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** A new storage buffer of zeros. */
  storage(label: string, byteLength: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = usage;
    const buffer = this.device.createBuffer({
      label,
      size: byteLength,
      usage: STORAGE | COPY_SRC | COPY_DST,
    });
    this.#all.push(buffer);
    return buffer;
  }

  /** Frees the memory of all buffers. What was submitted before may still use it. */
  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
  }
}

/** A copy of buffers, read when the device has done everything that was submitted before. */
export async function readBuffers(
  device: GPUDevice,
  buffers: readonly GPUBuffer[],
): Promise<readonly ArrayBuffer[]> {
  const size = buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  const staging = device.createBuffer({ size, usage: usage.MAP_READ | usage.COPY_DST });
  const encoder = device.createCommandEncoder();
  let end = 0;
  const ends = buffers.map((buffer) => {
    encoder.copyBufferToBuffer(buffer, 0, staging, end, buffer.size);
    end += buffer.size;
    return end;
  });
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(mapForReading);
  const bytes = staging.getMappedRange();
  const copies = buffers.map((buffer, i) => bytes.slice(ends[i] - buffer.size, ends[i]));
  staging.destroy();
  return copies;
}
